"""Record a real session as docs/images/terminal.svg, and a real status document: `make recording`.

The commands are run as they are shown, on this project's own documentation, against a web server on this machine.
"""

from __future__ import annotations

import functools
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

__all__ = ["PICTURES", "ROOT", "environment", "host", "main", "run", "serving", "until", "without_fonts"]

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"
PICTURE = PICTURES / "terminal.svg"
STATUS = ROOT / "docs" / "reference" / "status-example.json"
_SCRIPTS = sysconfig.get_path("scripts")
_WIDTH = 100
_PORT = 8000
_LARGEST = 100_000
_FONT = re.compile(r"@font-face\s*\{[^}]*\}\s*")


def main() -> int:
    """Run the session, write picture and document, and return the exit code."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        shutil.copytree(ROOT / "docs", home / "docs", ignore=shutil.ignore_patterns("*.py", "images", "*.json"))
        shutil.copy(ROOT / "README.md", home / "docs")
        (home / "public").mkdir()
        with host(home / "public") as address:
            picture = _session(home, address)
            with serving(home, address) as url:
                status = _told(url)
    PICTURE.write_text(picture, encoding="utf-8")
    STATUS.write_text(json.dumps(status, indent=2) + "\n", encoding="utf-8")
    return 0 if len(picture.encode()) < _LARGEST else 1


def _session(home: Path, address: str) -> str:
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    for line in (
        "pycontextify index docs --index-path index",
        "pycontextify publish public --index-path index",
        f"pycontextify hydrate --index-bootstrap-url {address} --index-path everywhere",
        'pycontextify search "the connection breaks while it downloads" -n 1 --index-path everywhere',
    ):
        console.print(Text.assemble(("$ ", "bold green"), (line, "bold")))
        for said in run(line, home).replace(str(home), "/home/me").splitlines():
            console.print(Text.from_ansi(said), soft_wrap=False, overflow="ellipsis", no_wrap=True)
        console.print()
    return without_fonts(console.export_svg(title="built once, hydrated everywhere", unique_id="terminal"))


def run(line: str, home: Path) -> str:
    """Run a line in a shell; return what it says."""
    shell = shutil.which("sh") or "/bin/sh"
    done = subprocess.run(  # noqa: S603 - our own lines
        [shell, "-c", line], cwd=home, env=environment(home), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{line}\n{done.stderr}")
    return done.stdout.rstrip()


def environment(home: Path) -> dict[str, str]:
    """Return the environment of somebody at home in a directory, with this installation's commands."""
    own = {"HOME": str(home), "FORCE_COLOR": "1", "COLUMNS": str(_WIDTH), "TERM": "xterm-256color"}
    return {"PATH": f"{_SCRIPTS}{os.pathsep}{os.environ.get('PATH', '')}", "LANG": "C.UTF-8", **own}


def without_fonts(svg: str) -> str:
    """Return a picture that asks nobody for fonts: the names of its typefaces stay, the addresses go."""
    return _FONT.sub("", svg)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def host(site: Path) -> Iterator[str]:
    """Serve a directory on this machine; yield its address."""
    served = functools.partial(_Quiet, directory=str(site))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", _PORT), served)
    except OSError:  # somebody else has it
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def serving(home: Path, address: str, port: int = 0) -> Iterator[str]:
    """Run a server that follows what is published at an address; yield its own, once it has filled itself."""
    settings = ("--transport", "http", "--port", str(port), "--index-path", "served", "--index-bootstrap-url", address)
    command = [str(Path(_SCRIPTS, "pycontextify")), "serve", *settings, "--index-bootstrap-mode", "follow"]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, cwd=home, env=environment(home), stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            lines = iter(server.stderr or ())
            line = next(line for line in lines if "listening at" in line)
            threading.Thread(target=_drain, args=(lines,), daemon=True).start()
            url = line.split("listening at ")[1].split()[0]
            until(url, lambda told: told["hydration"]["history"] and told["index"]["generation"])
            yield url
        finally:
            server.terminate()


def until(url: str, holds: Callable[[Any], Any]) -> Any:
    """Return a server's status once something holds of it."""
    while not holds(found := _told(url)):
        time.sleep(0.1)
    return found


def _told(url: str) -> Any:
    with urllib.request.urlopen(f"{url}/status", timeout=5) as reply:  # noqa: S310 - http, as it said
        return json.load(reply)


def _drain(lines: Iterator[str]) -> None:
    with suppress(ValueError):  # the pipe is closed at the end
        for _ in lines:
            pass


if __name__ == "__main__":
    sys.exit(main())
