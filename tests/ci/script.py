"""The scripts of .ci/, which no package holds, as modules."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

__all__ = ["ROOT", "script"]

ROOT = Path(__file__).resolve().parent.parent.parent


def script(name: str) -> ModuleType:
    """The module that .ci/NAME.py is."""
    spec = spec_from_file_location(f"ci_{name}", ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)  # where its dataclasses look themselves up
    spec.loader.exec_module(module)
    return module
