"""The command line as a process: streams, signals, pipes and terminals."""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, Site


def test_exit_codes_reach_the_shell(cli: Cli, tmp_path: Path) -> None:
    """One line on stderr, nothing on stdout."""
    for arguments, code in (
        (("search", "x", "--index-path", tmp_path / "none"), 1),
        (("--port", "x"), 2),
        (("serve", "--nonsense"), 2),
        (("nonsense",), 2),
    ):
        done = cli.spawn(*arguments)
        assert (done.code, done.out) == (code, ""), done.err
        assert "Traceback" not in done.err


def test_indexing_into_a_pipe_is_quiet(cli: Cli, site: Site, tmp_path: Path) -> None:
    """No progress, no logs: the report alone."""
    done = cli.spawn("index", site.corpus, "--index-path", tmp_path / "index")
    assert done.code == 0
    assert done.err == ""
    assert "3 added" in done.out


def test_a_reader_that_has_had_enough_is_no_failure(cli: Cli, site: Site) -> None:
    """As in ``pycontextify search … | head -1``."""
    with cli.start("search", "pause", "--json", "--index-path", site.index) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 0


def test_interrupting_a_hydration_ends_it_with_a_line(cli: Cli, tmp_path: Path) -> None:
    """The host accepts and never answers; Ctrl-C ends the wait."""
    with socket.create_server(("127.0.0.1", 0)) as host:
        url = f"http://127.0.0.1:{host.getsockname()[1]}/"
        with cli.start("hydrate", "--index-bootstrap-url", url, "--index-path", tmp_path / "index") as child:
            connection, _ = host.accept()
            with connection:
                child.send_signal(signal.SIGINT)
                out, err = child.communicate()
    assert (child.returncode, out) == (130, "")
    assert err.strip() == "interrupted: what was fetched is kept; the same command goes on from there"


def test_without_a_verb_it_serves(cli: Cli, tmp_path: Path) -> None:
    """A client that leaves at once is served, and nothing is written to stdout that it did not ask for."""
    done = cli.spawn("--index-path", tmp_path / "index")
    assert (done.code, done.out) == (0, "")
    assert "the client has left" in done.err


def test_serving_imports_nothing_that_it_does_not_need_at_once(cli: Cli, tmp_path: Path) -> None:
    """Neither what draws nor what searches, before a client has asked."""
    done = cli.spawn("--index-path", tmp_path / "index", python=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines() if "|" in line}
    assert "mcp" in imported
    assert imported.isdisjoint({"typer", "rich", "faiss", "numpy", "onnxruntime", "tokenizers", "aiohttp", "apsw"})


def _on_a_terminal(cli: Cli, stream: str, *arguments: object, **environment: str) -> str:
    """Run with one stream on a terminal; return what came there."""
    ours, theirs = pty.openpty()
    environment = {"TERM": "xterm-256color", "COLUMNS": "200", **environment}
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
    with cli.start(*arguments, env=environment, **streams) as child:
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 1 << 16):
                shown += block
        except OSError:  # how Linux tells that nobody has the other end open any more
            pass
        finally:
            os.close(ours)
    assert child.returncode == 0
    return shown.decode()


@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_colours_are_for_terminals_that_want_them(cli: Cli, site: Site, environment: dict[str, str]) -> None:
    """NO_COLOR is honoured."""
    shown = _on_a_terminal(cli, "stdout", "search", "pause", "--index-path", site.index, **environment)
    assert "guide/retry.md:1-3" in shown
    assert ("\x1b[36m" in shown or "\x1b[1;36m" in shown) is not bool(environment)


def test_progress_is_drawn_on_a_terminal(cli: Cli, site: Site, tmp_path: Path) -> None:
    """And is gone from it at the end."""
    shown = _on_a_terminal(cli, "stderr", "index", site.corpus, "--index-path", tmp_path / "index")
    assert "embedding tree" in shown
    assert shown.endswith("\x1b[2K")


def test_logs_take_the_place_of_progress(cli: Cli, site: Site, tmp_path: Path) -> None:
    """Who asks for logs gets lines, not a bar that is drawn over them."""
    where = ("--index-path", tmp_path / "index", "--index-bootstrap-url", site.public.as_uri())
    shown = _on_a_terminal(cli, "stderr", "hydrate", *where, "--log-level", "INFO")
    assert "activated generation" in shown
    assert "\x1b[" not in shown
