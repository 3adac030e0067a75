"""What a run was measured on, as far as it matters to whoever compares."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

__all__ = ["machine"]

_PACKAGES = ("aiohttp", "apsw", "faiss-cpu", "numpy", "onnxruntime")


def machine() -> dict[str, str]:
    """Return facts: what each is, and its value."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": f"{_memory() / 2**30:.0f} GiB",
        "busy before": f"{os.getloadavg()[0]:.1f} processes",
        "system": f"{platform.system()} {platform.release()}",
        "file system": _file_system("/var/tmp"),
        "Python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in _PACKAGES},
        "curl": _version("curl", "--version"),
    }


def _first(path: str, label: str) -> str:
    """Return the value of the first line of a file of the system that has this label."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(label)), "")


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _file_system(path: str) -> str:
    told = subprocess.run(["stat", "-f", "-c", "%T", path], capture_output=True, text=True, check=False)
    return told.stdout.strip()


def _version(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    return told[1] if len(told) > 1 else ""
