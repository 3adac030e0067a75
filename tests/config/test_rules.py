"""Settings that do not fit together are named, with how to make them fit."""

from __future__ import annotations

import pytest

from tests.config.conftest import Load

HEX = "0123456789abcdef" * 4
URL = "INDEX_BOOTSTRAP_URL"
OPEN = "can be reached from other machines, and no token keeps them out"
MAKE = "`openssl rand -hex 32` makes one"


@pytest.mark.parametrize(
    ("given", "code", "line"),
    [
        (
            {URL: "https://a/x", "INDEX_BOOTSTRAP_ARCHIVE": "https://a/x.zip"},
            "config_conflict",
            (
                "environment {B}URL and environment {B}ARCHIVE: only one place can be the source of the index; "
                "keep one of them"
            ),
        ),
        (
            {URL: "https://a/x", "INDEX_BOOTSTRAP_METADATA_URL": "https://a/x"},
            "config_conflict",
            (
                "environment {B}URL and environment {B}METADATA_URL: only one place can be the source of the index; "
                "keep one of them"
            ),
        ),
        (
            {"INDEX_BOOTSTRAP_FAISS_URL": "https://a/x"},
            "config_half_pair",
            "environment {B}FAISS_URL: is half of a pair; give {B}METADATA_URL too",
        ),
        (
            {"INDEX_BOOTSTRAP_METADATA_URL": "https://a/x"},
            "config_half_pair",
            "environment {B}METADATA_URL: is half of a pair; give {B}FAISS_URL too",
        ),
        (
            {
                "INDEX_BOOTSTRAP_FAISS_URL": "https://a/x",
                "INDEX_BOOTSTRAP_METADATA_URL": "https://a/y",
                "INDEX_BOOTSTRAP_SHA256": HEX,
            },
            "config_conflict",
            (
                "environment {B}SHA256 and environment {B}FAISS_URL: one digest can't pin two files; "
                "pin them with {B}FAISS_SHA256 and {B}METADATA_SHA256"
            ),
        ),
        (
            {"INDEX_BOOTSTRAP_SHA256": HEX},
            "config_missing",
            "environment {B}SHA256: there is nothing that it pins; give {B}URL or {B}ARCHIVE too, or leave it out",
        ),
        (
            {"INDEX_BOOTSTRAP_FAISS_SHA256": HEX},
            "config_missing",
            (
                "environment {B}FAISS_SHA256: pins a file of a pair, and no pair is given; "
                "give {B}FAISS_URL and {B}METADATA_URL, or leave it out"
            ),
        ),
        (
            {"INDEX_BOOTSTRAP_METADATA_SHA256": HEX, URL: "https://a/x"},
            "config_missing",
            (
                "environment {B}METADATA_SHA256: pins a file of a pair, and no pair is given; "
                "give {B}FAISS_URL and {B}METADATA_URL, or leave it out; "
                "an archive or a published index is pinned with {B}SHA256"
            ),
        ),
        (
            {"INDEX_BOOTSTRAP_MODE": "follow"},
            "config_missing",
            "environment {B}MODE: follow has nothing to follow; give {B}URL too",
        ),
        (
            {"EMBEDDING_PROVIDER": "http"},
            "config_missing",
            (
                "environment {P}EMBEDDING_PROVIDER: http needs the service's address and a model; "
                "give {P}EMBEDDING_URL and {P}EMBEDDING_MODEL too"
            ),
        ),
        (
            {"EMBEDDING_PROVIDER": "http", "EMBEDDING_URL": "http://h/v1"},
            "config_missing",
            (
                "environment {P}EMBEDDING_PROVIDER: http needs the service's address and a model; "
                "give {P}EMBEDDING_MODEL too"
            ),
        ),
        (
            {"INDEX_BOOTSTRAP_TOKEN": "a", "INDEX_BOOTSTRAP_HEADERS": "X: y, authorization: b"},
            "config_conflict",
            "environment {B}TOKEN and environment {B}HEADERS: both set the Authorization header; keep one of them",
        ),
        (
            {"INDEX_BOOTSTRAP_CLIENT_KEY": "/etc/key.pem"},
            "config_missing",
            "environment {B}CLIENT_KEY: is a key without its certificate; give {B}CLIENT_CERT too",
        ),
        (
            {"EMBEDDING_URL": "http://h/v1"},
            "config_missing",
            (
                "environment {P}EMBEDDING_URL: is of no use to the default provider, onnx; "
                "set {P}EMBEDDING_PROVIDER to http, or leave it out"
            ),
        ),
        (
            {"HTTP": "127.0.0.1:0", "TRANSPORT": "http"},
            "config_conflict",
            (
                "environment {P}HTTP and environment {P}TRANSPORT: the http transport serves the status routes itself; "
                "leave out {P}HTTP, and say with {P}HOST and {P}PORT where to listen"
            ),
        ),
        (
            {"TRANSPORT": "http", "HOST": "0.0.0.0"},
            "listening_insecure",
            (
                f"environment {{P}}HOST: 0.0.0.0 {OPEN}; "
                f"set {{P}}HTTP_TOKEN ({MAKE}), or {{P}}INSECURE if something in front authenticates"
            ),
        ),
        (
            {"HTTP": "[::]:0"},
            "listening_insecure",
            (
                f"environment {{P}}HTTP: :: {OPEN}; "
                f"set {{P}}HTTP_TOKEN ({MAKE}), or {{P}}INSECURE if something in front authenticates"
            ),
        ),
    ],
)
def test_a_contradiction(given: dict[str, str], code: str, line: str, load: Load) -> None:
    """The line names the settings that do not fit together and how to make them fit."""
    error = load.mistake(**given)
    prefixes = {"P": "PYCONTEXTIFY_", "B": "PYCONTEXTIFY_INDEX_BOOTSTRAP_"}
    assert str(error) == line.format_map(prefixes)
    assert error.code == code


def test_a_setting_is_named_as_it_was_given(load: Load) -> None:
    """By its flag, or by its key and the file; and so is what is missing beside it."""
    half = "half of a pair; give"
    flags = load.mistake({"index_bootstrap_faiss_url": "https://a/x"})
    assert str(flags) == f"flag --index-bootstrap-faiss-url: is {half} --index-bootstrap-metadata-url too"
    path = load.write('index_bootstrap_faiss_url = "https://a/x"')
    file = load.mistake()
    assert str(file) == f"index_bootstrap_faiss_url in file {path}: is {half} index_bootstrap_metadata_url too"


def test_a_contradiction_between_layers_names_both(load: Load) -> None:
    """A source in the environment and another on the command line are told apart by where they are."""
    error = load.mistake({"index_bootstrap_archive": "https://a/x.zip"}, INDEX_BOOTSTRAP_URL="https://a/x")
    assert error.asset == "environment PYCONTEXTIFY_INDEX_BOOTSTRAP_URL and flag --index-bootstrap-archive"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "index.example", "localhost.example", "127.1"])
def test_other_machines_are_kept_out(host: str, load: Load) -> None:
    """Without a token the start is refused wherever the address may be reached from elsewhere, on both transports."""
    written = f"[{host}]:0" if ":" in host else f"{host}:0"
    for flags in ({"transport": "http", "host": host}, {"http": written}):
        error = load.mistake(flags)
        assert (error.code, error.exit_code) == ("listening_insecure", 2)
        assert "PYCONTEXTIFY_HTTP_TOKEN" in str(error)
        assert "--insecure" in str(error)
        assert load(flags, HTTP_TOKEN=HEX).http_token == HEX
        assert load({**flags, "insecure": True}).insecure
        assert load.mistake({**flags, "insecure": "no"}, HTTP_TOKEN="").code == "listening_insecure"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.9"])
def test_on_loopback_no_token_is_needed(host: str, load: Load) -> None:
    """Nobody else can reach it; and a host that nothing listens on needs none either."""
    assert load({"transport": "http", "host": host}).http_token is None
    assert load({"host": "0.0.0.0"}).transport == "stdio"
