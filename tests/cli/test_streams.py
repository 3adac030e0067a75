"""The command line as a process: streams, signals, pipes and terminals."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pycontextify.store.layout import Layout
from tests.cli.conftest import Cli, Site
from tests.cli.terminal import open_terminal, read_to_the_end
from tests.fakes.acts import Late
from tests.fakes.server import SnapshotServer


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


async def test_a_program_hears_how_a_hydration_goes(cli: Cli, site: Site, tmp_path: Path) -> None:
    """Twice a second while it lasts, and the result as the last line; stderr stays empty."""
    layout = Layout(site.public)
    vectors = layout.config(layout.refs().refs["latest"].digest).segments[0].vectors
    async with SnapshotServer(site.public) as server:
        server.script(f"blobs/sha256/{vectors.hex}", Late(1.3))
        hydrate = ("hydrate", "--json", "--index-path", tmp_path / "index", "--index-bootstrap-url", server.url())
        done = await asyncio.to_thread(cli.spawn, *hydrate)
    assert (done.code, done.err) == (0, "")
    *before, last = map(json.loads, done.out.splitlines())
    assert 2 <= len(before) <= 8
    assert {each["event"] for each in before} == {"progress"}
    assert {"fetching"} <= {each["state"] for each in before}
    assert 0 < before[-1]["bytes_done"] <= before[-1]["bytes_total"]
    assert (last["event"], last["result"]) == ("result", "installed")


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


@contextmanager
def _stuck(path: Path) -> Iterator[None]:
    """Let a file be slow to read: whoever opens it waits for what is never written."""
    path.unlink()
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    try:
        yield
    finally:
        os.close(writer)


@pytest.mark.parametrize("where", ["", "--pair"])
def test_interrupting_a_publication_leaves_what_was_there(cli: Cli, site: Site, tmp_path: Path, where: str) -> None:
    """In the middle of a copy: no ref moves, no file is there by half, and the same command publishes it."""
    shutil.copytree(site.index, tmp_path / "index")
    layout, place = Layout(tmp_path / "index"), tmp_path / "public"
    current = layout.current()
    assert current is not None
    vectors = layout.blob_path(layout.config(current).segments[0].vectors)
    content = vectors.read_bytes()
    publish = ("publish", *filter(None, [where]), place, "--json", "--index-path", tmp_path / "index")
    with _stuck(vectors), cli.start(*publish) as child:
        assert child.stdout is not None
        assert json.loads(child.stdout.readline())["verb"] == "publish"
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
    assert child.returncode == 130
    assert err.strip() == (
        "interrupted: what was published before is still whole; the same command does what is missing"
    )
    left = {path.name for path in place.rglob("*") if path.is_file()} if place.exists() else set()
    assert not [name for name in left if name.endswith(".tmp") or name.startswith(("copy-", "small"))]
    assert Layout(place).refs().refs == {} if not where else not left
    vectors.unlink()
    vectors.write_bytes(content)
    assert cli(*publish).code == 0


def test_interrupting_an_index_run_leaves_what_was_there(cli: Cli, tmp_path: Path) -> None:
    """While it embeds: there is no generation, and the same command makes one, with what was embedded already."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for number in range(300):
        (tree / f"{number}.md").write_text(f"# {number}\n\n" + f"It is about {number}. " * 200, encoding="utf-8")
    index = ("index", tree, "--json", "--index-path", tmp_path / "index")
    with cli.start(*index) as child:
        assert child.stdout is not None
        while (told := json.loads(child.stdout.readline()))["stage"] != "embedding":
            pass
        child.send_signal(signal.SIGINT)
        out, err = child.communicate()
    assert child.returncode == 130
    assert '"result"' not in out
    assert err.strip().startswith("interrupted: trees that were done are kept")
    assert Layout(tmp_path / "index").current() is None
    with cli.start(*index) as child:
        assert child.stdout is not None
        while (again := json.loads(child.stdout.readline()))["stage"] != "embedding":
            pass
        child.send_signal(signal.SIGINT)
        child.communicate()
    assert again["done"] > told["done"]
    for number in range(1, 300):
        (tree / f"{number}.md").unlink()
    assert cli(*index).code == 0
    assert list((tmp_path / "index" / ".pycontextify" / "partial").iterdir()) == []


@pytest.mark.terminal
def test_interrupting_on_a_terminal_leaves_it_as_it_was(cli: Cli, tmp_path: Path) -> None:
    """The bar is gone, the cursor is back, and a line says what is kept."""
    (tmp_path / "tree").mkdir()
    for number in range(300):
        (tmp_path / "tree" / f"{number}.md").write_text(f"# {number}\n\n" + f"About {number}. " * 200, encoding="utf-8")
    ours, theirs = open_terminal()
    terminal = {"TERM": "xterm-256color", "COLUMNS": "200"}
    index = ("index", tmp_path / "tree", "--index-path", tmp_path / "index")
    with cli.start(*index, stdin=theirs, stdout=theirs, stderr=theirs, env=terminal) as child:
        os.close(theirs)
        shown = b""
        while b"embedding tree" not in shown:
            shown += os.read(ours, 1 << 16)
        child.send_signal(signal.SIGINT)
        try:
            while block := os.read(ours, 1 << 16):
                shown += block
        except OSError:  # how Linux tells that nobody has the other end open any more
            pass
    os.close(ours)
    assert child.returncode == 130
    before, _, after = shown.decode().rpartition("interrupted: ")
    assert before.rindex("\x1b[?25h") > before.rindex("\x1b[?25l")
    assert after.startswith("trees that were done are kept")


def _on_a_terminal(cli: Cli, stream: str, *arguments: object, **environment: str) -> str:
    """Run with one stream on a terminal; return what came there."""
    ours, theirs = open_terminal()
    environment = {"TERM": "xterm-256color", "COLUMNS": "200", **environment}
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: theirs}
    with cli.start(*arguments, env=environment, **streams) as child:
        os.close(theirs)
        shown = read_to_the_end(ours)
    assert child.returncode == 0
    return shown.decode()


@pytest.mark.terminal
@pytest.mark.parametrize("environment", [{}, {"NO_COLOR": "1"}])
def test_colours_are_for_terminals_that_want_them(cli: Cli, site: Site, environment: dict[str, str]) -> None:
    """NO_COLOR is honoured."""
    shown = _on_a_terminal(cli, "stdout", "search", "pause", "--index-path", site.index, **environment)
    assert "guide/retry.md:1-3" in shown
    assert ("\x1b[36m" in shown or "\x1b[1;36m" in shown) is not bool(environment)


@pytest.mark.terminal
def test_progress_is_drawn_on_a_terminal(cli: Cli, site: Site, tmp_path: Path) -> None:
    """And is gone from it at the end."""
    shown = _on_a_terminal(cli, "stderr", "index", site.corpus, "--index-path", tmp_path / "index")
    assert "embedding tree" in shown
    assert shown.endswith("\x1b[2K")


@pytest.mark.terminal
@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_progress_goes_without_what_a_terminal_does_not_want(
    cli: Cli, site: Site, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Bars without colours for NO_COLOR; nothing at all on a terminal that can't move its cursor."""
    shown = _on_a_terminal(cli, "stderr", "publish", tmp_path / "public", "--index-path", site.index, **environment)
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)
    assert ("copying public" in shown) is ("TERM" not in environment)
    assert "TERM" not in environment or shown == ""


def test_forced_colours_are_not_a_terminal(cli: Cli, site: Site, tmp_path: Path) -> None:
    """CI systems set FORCE_COLOR; a log has no use for bars all the same."""
    done = cli.spawn("index", site.corpus, "--index-path", tmp_path / "index", env={"FORCE_COLOR": "1"})
    assert (done.code, done.err) == (0, "")


@pytest.mark.terminal
def test_programs_are_told_on_stdout_alone(cli: Cli, site: Site, tmp_path: Path) -> None:
    """With --json nothing is drawn, even where stderr is a terminal."""
    where = ("--index-path", tmp_path / "index", "--index-bootstrap-url", site.public.as_uri())
    assert _on_a_terminal(cli, "stderr", "hydrate", "--json", *where) == ""
    lines = _on_a_terminal(cli, "stdout", "index", site.corpus, "--json", "--index-path", tmp_path / "index")
    assert json.loads(lines.splitlines()[-1])["event"] == "result"
    assert json.loads(lines.splitlines()[0])["stage"] == "scanning"


@pytest.mark.terminal
def test_logs_take_the_place_of_progress(cli: Cli, site: Site, tmp_path: Path) -> None:
    """Who asks for logs gets lines, not a bar that is drawn over them."""
    where = ("--index-path", tmp_path / "index", "--index-bootstrap-url", site.public.as_uri())
    shown = _on_a_terminal(cli, "stderr", "hydrate", *where, "--log-level", "INFO")
    assert "activated generation" in shown
    assert "\x1b[" not in shown
