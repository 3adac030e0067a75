"""The recipes, done: nginx in front and behind, Caddy's and systemd's own checks, the steps of the image."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import anyio
import httpx2
import pytest
import yaml
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.cli.conftest import Cli
from tests.fakes.certificate import Authority
from tests.fakes.serving import SCRIPT, environment, serving
from tests.system.conftest import MakeNginx, Published

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parent.parent.parent
DEPLOY = ROOT / "deploy"
TOKEN = "canary-of-the-http-token-0123456789abcdef"
NOBODY = 65534


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configured(name: str, changes: dict[str, str]) -> str:
    """Return one of nginx's recipes with what must differ here; every change must find its place."""
    text = (DEPLOY / "nginx" / name).read_text(encoding="utf-8")
    for place, changed in changes.items():
        assert place in text
        text = text.replace(place, changed)
    return text


# nginx


async def test_servers_fill_themselves_from_the_source(nginx: MakeNginx, published: Published, tmp_path: Path) -> None:
    """As the recipe serves it: with headers for caches, ranges, nothing compressed, and nothing but the index."""
    port = free_port()
    recipe = configured(
        "source.conf", {"listen 8080;": f"listen 127.0.0.1:{port};", "/srv/public": str(published.site)}
    )
    nginx(tmp_path, http=recipe)
    url = f"http://127.0.0.1:{port}"
    blob, _ = published.blob("segment 1 chunks")
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/index.json", headers={"Accept-Encoding": "gzip"}) as reply:
            assert reply.headers["Cache-Control"] == "no-cache"
            assert "Content-Encoding" not in reply.headers
        async with session.get(f"{url}{blob}", headers={"Range": "bytes=0-9"}) as reply:
            assert reply.status == 206
            assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        for hidden in ("/.pycontextify/lock", "/", "/blobs"):
            async with session.get(f"{url}{hidden}", allow_redirects=False) as reply:
                assert reply.status in {301, 403, 404}
    async with serving(tmp_path, "--index-bootstrap-url", url) as server:
        assert (await server.hydrated())["index"]["generation"] == published.generation


async def check_proxied(url: str, trust: ssl.SSLContext | bool, token: str = TOKEN) -> None:
    """The token is passed on and asked for, too much is refused, and /mcp answers, with streams."""
    passed = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session:
        for headers, expected in (({}, 401), ({"Authorization": "Bearer other"}, 401), (passed, 200)):
            async with session.get(f"{url}/status", ssl=trust, headers=headers) as reply:
                assert reply.status == expected
        async with session.post(f"{url}/mcp", ssl=trust, headers=passed, data=b"x" * 600_000) as reply:
            assert reply.status == 413
    async with (
        httpx2.AsyncClient(headers=passed, verify=trust, trust_env=False) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode="legacy") as client,
    ):
        told = (await client.call_tool("status", {})).structured_content
    assert told is not None
    assert told["health"]["live"]


async def test_a_server_is_asked_through_nginx(nginx: MakeNginx, tmp_path: Path) -> None:
    """Over TLS, as the recipe has it but for names and ports."""
    authority, port = Authority(tmp_path), free_port()
    certificate, key = authority.issue("proxy")
    async with serving(tmp_path, env={"HTTP_TOKEN": TOKEN}) as server:
        changes = {
            "server 127.0.0.1:8765;": f"server {(await server.url()).removeprefix('http://')};",
            "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
            "/etc/ssl/search.example.com.pem": str(certificate),
            "/etc/ssl/private/search.example.com.key": str(key),
        }
        nginx(tmp_path, http=configured("proxy.conf", changes))
        await check_proxied(f"https://127.0.0.1:{port}", ssl.create_default_context(cafile=authority.certificate))


# Caddy


@contextmanager
def caddy(home: Path, text: str, port: int) -> Iterator[None]:
    """Run Caddy with a configuration for the length of a block."""
    program = shutil.which("caddy")
    assert program is not None, "caddy is missing: `make test-system` installs it, or says how"
    (home / "Caddyfile").write_text(text, encoding="utf-8")
    command = [program, "run", "--adapter", "caddyfile", "--config", "Caddyfile"]
    with (
        (home / "caddy.log").open("wb") as log,
        subprocess.Popen(command, cwd=home, env=environment(home), stderr=log) as process,
    ):
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Return when something listens there."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("it has ended")


async def test_a_server_is_asked_through_caddy(tmp_path: Path) -> None:
    """As the recipe has it, but for the name, which no authority would vouch for here."""
    port, recipe = free_port(), (DEPLOY / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    async with serving(tmp_path, env={"HTTP_TOKEN": TOKEN}) as server:
        behind = (await server.url()).removeprefix("http://")
        assert "\nsearch.example.com {" in recipe
        assert "reverse_proxy 127.0.0.1:8765 {" in recipe
        here = recipe.replace("\nsearch.example.com {", f"\nhttp://127.0.0.1:{port} {{")
        here = here.replace("reverse_proxy 127.0.0.1:8765 {", f"reverse_proxy {behind} {{")
        with caddy(tmp_path, "{\n\tadmin off\n\tauto_https off\n}\n" + here, port):
            await check_proxied(f"http://127.0.0.1:{port}", trust=True)


# systemd


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with the program that is installed here."""
    text = (DEPLOY / "systemd" / "pycontextify.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/pycontextify/bin/pycontextify serve" in text
    path = tmp_path / "pycontextify.service"
    path.write_text(text.replace("/opt/pycontextify/bin/pycontextify", str(SCRIPT)), encoding="utf-8")
    return path


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask systemd-analyze, which needs no running systemd for this."""
    program = shutil.which("systemd-analyze")
    assert program is not None, "systemd is missing: `make test-system` installs it, or says how"
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def test_systemd_takes_the_unit(unit: Path) -> None:
    """It knows every directive, and says nothing."""
    done = analyze("verify", "--man=no", str(unit))
    said = [line for line in (done.stdout + done.stderr).splitlines() if "pycontextify.service" in line]
    assert (done.returncode, said) == (0, [])


def test_systemd_finds_the_unit_confined(unit: Path) -> None:
    """An exposure of at most 2, where 10 is a service without any of it."""
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", str(unit))
    assert done.returncode == 0, done.stdout


_NO_NEW_CODE = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1
assert libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0, "the kernel knows no such thing"
try:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
except PermissionError:
    os.execv(sys.argv[1], sys.argv[1:])
raise SystemExit("memory may be written and executed")
"""


def test_nothing_needs_memory_that_is_written_and_executed(tmp_path: Path) -> None:
    """MemoryDenyWriteExecute= is no trouble: an index is built, published, fetched and searched under its rule."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "moon.md").write_text("# The moon\n\nIt has no air.\n", encoding="utf-8")
    for verb in (
        ("index", "tree", "--index-path", "index"),
        ("publish", "public", "--index-path", "index"),
        ("hydrate", "--index-bootstrap-url", (tmp_path / "public").as_uri(), "--index-path", "other"),
        ("search", "what the moon lacks", "--json", "--index-path", "other"),
    ):
        command = [sys.executable, "-c", _NO_NEW_CODE, sys.executable, "-m", "pycontextify", *verb]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    assert [hit["path"] for hit in json.loads(done.stdout)["results"]] == ["moon.md"]


# The image


def stage(text: str, number: int) -> list[tuple[str, str]]:
    """Return the instructions of a stage of a Dockerfile."""
    joined = re.sub(r"\\\n\s*", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    stages = re.split(r"^FROM .*$", joined, flags=re.MULTILINE)
    lines = (line.partition(" ") for line in stages[number].splitlines() if line.strip())
    return [(word, rest.strip()) for word, _, rest in lines]


@pytest.mark.timeout(600)
def test_the_steps_of_the_image_make_a_server_for_nobody(published: Published) -> None:
    """What the Dockerfile copies and runs, done here in another place; then that server, run as nobody.

    Who it runs as may read, and may write to the index and to TMPDIR: home and all else is read-only.
    """
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        build_image(home)
        anyio.run(run_as_nobody, home, published)


def build_image(home: Path) -> None:
    """Run the first stage of the Dockerfile, with a Python that has nothing but pip."""
    subprocess.run([sys.executable, "-m", "venv", home / "python"], check=True)
    (home / "source").mkdir()
    moved = {"/opt/pycontextify": str(home / "opt"), "/wheels": str(home / "wheels")}
    path = f"{home / 'python' / 'bin'}:{os.environ['PATH']}"
    for word, rest in stage((DEPLOY / "docker" / "Dockerfile").read_text(encoding="utf-8"), 1):
        for place, here in moved.items():
            rest = rest.replace(place, here)  # noqa: PLW2901 - the same, moved
        if word == "COPY":
            *sources, target = rest.split()
            copy([ROOT / source for source in sources], home / "source" / target)
        elif word == "RUN":
            command, own = ["sh", "-euc", rest], {**os.environ, "PATH": path}
            done = subprocess.run(command, cwd=home / "source", env=own, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr


def copy(sources: list[Path], target: Path) -> None:
    """Copy as COPY does: what is in a directory, or files into one."""
    for source in sources:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        elif len(sources) > 1 or target.is_dir():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


async def run_as_nobody(home: Path, published: Published) -> None:
    """Serve, as the image does; ask it how it is with the image's own probe."""
    place, port = home / "data", free_port()
    for directory in (place, home / "tmp"):
        directory.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(directory, NOBODY, NOBODY)
    (home / "home").mkdir(mode=0o555)
    shutil.copytree(published.site, home / "public")
    settings = {
        "TRANSPORT": "http",
        "PORT": str(port),
        "HOST": "0.0.0.0",
        "HTTP_TOKEN": TOKEN,
        "INDEX_DIR": str(place / "index"),
        "INDEX_BOOTSTRAP_URL": (home / "public").as_uri(),
        "REQUIRE_INDEX": "true",
    }
    own = environment(home / "home", **settings) | {"TMPDIR": str(home / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    program = [str(home / "opt" / "bin" / "python"), str(home / "opt" / "bin" / "pycontextify")]
    with (home / "log").open("wb") as log:
        process = await anyio.open_process([*_as_nobody(), *program], env=own, stderr=log, stdin=subprocess.DEVNULL)
    async with process:
        try:
            with anyio.fail_after(90):
                for asked in ("/livez", "/readyz"):
                    while await probe(home, asked, own):
                        assert process.returncode is None, (home / "log").read_text()
                        await anyio.sleep(0.2)
            if os.geteuid() == 0:
                assert Path(f"/proc/{process.pid}").stat().st_uid == NOBODY
            assert not list((home / "home").iterdir())
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0, (home / "log").read_text()


def _as_nobody() -> list[str]:
    """Return what runs a command as nobody, who may read everything and write what is theirs. (Only root can.)"""
    if os.geteuid():
        return []
    who = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--no-new-privs"]
    # Python itself may lie where only root looks.
    reads = ["--bounding-set", "-all,+dac_read_search"]
    return ["setpriv", *who, *reads, "--inh-caps", "-all,+dac_read_search", "--ambient-caps", "-all,+dac_read_search"]


async def probe(home: Path, asked: str, own: dict[str, str]) -> int:
    """Return what the image's health check says."""
    command = [str(home / "opt" / "bin" / "python"), str(home / "opt" / "bin" / "pycontextify-probe"), asked]
    return (await anyio.run_process([*_as_nobody(), *command], env=own, check=False)).returncode


# CI services


@pytest.mark.parametrize("recipe", ["github", "gitlab"])
def test_the_steps_of_ci_publish_an_index(recipe: str, tmp_path: Path) -> None:
    """Twice: from nothing and signed, then over what is published, with little that is new."""
    tree = tmp_path / "project"
    tree.mkdir()
    (tree / "moon.md").write_text("# The moon\n\nIt has no air.\n", encoding="utf-8")
    key = tmp_path / "team.key"
    cli = Cli(tmp_path)
    assert cli("keygen", key, "--no-password").code == 0
    for change in ("", "# The sun\n\nIt shines.\n"):
        if change:
            (tree / "sun.md").write_text(change, encoding="utf-8")
            shutil.move(tree / "public", tmp_path / "site")
        shutil.rmtree(tree / "index", ignore_errors=True)
        run_steps(recipe, tree, (tmp_path / "site").as_uri(), key, tmp_path)
    for name, expected in (("moon", 2),):
        taken = cli.spawn(
            *("hydrate", "--index-bootstrap-url", (tree / "public").as_uri(), "--json"),
            *("--index-bootstrap-trusted-keys", tmp_path / "team.pub", "--index-path", tmp_path / name),
        )
        assert taken.code == 0, taken.err
        status = json.loads(cli.spawn("status", "--json", "--index-path", tmp_path / name).out)
        assert status["index"]["documents"] == expected


def run_steps(recipe: str, tree: Path, source: str, key: Path, home: Path) -> None:
    """Run the commands of a pipeline, but for the installation."""
    if recipe == "github":
        flow = yaml.safe_load((DEPLOY / "github-actions" / "publish-index.yml").read_text(encoding="utf-8"))
        steps = [step["run"] for step in flow["jobs"]["index"]["steps"] if "run" in step]
        given = {"SOURCE": source, "GITHUB_REPOSITORY": "team/project", "KEY": key.read_text(), "PASSWORD": ""}
        given["RUNNER_TEMP"] = str(home)
    else:
        job = yaml.safe_load((DEPLOY / "gitlab-ci" / "publish-index.yml").read_text(encoding="utf-8"))
        steps = job["publish-index"]["script"]
        given = {"CI_PAGES_URL": source, "CI_PROJECT_NAME": "project", "INDEX_KEY": str(key)}
    assert sum("pip install" in step for step in steps) == 1
    own = environment(home)
    own["PATH"] = f"{SCRIPT.parent}:{own['PATH']}"
    for step in steps:
        if "pip install" not in step:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", step],
                cwd=tree,
                env={**own, **given},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
