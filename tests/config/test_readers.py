"""A wrong value stops the start with one line: the setting, its source, what is wrong, what to write instead."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from pycontextify.config import Places, load_settings
from pycontextify.errors import ConfigError
from tests.config.conftest import Load

URL = "INDEX_BOOTSTRAP_URL"
BEGINNING = "write an address that begins with http://, https:// or file:///"
UNSET = "literally, so nothing has put a value there"
FILL = "set that variable where the value is expanded, or write the value itself"
ENCODE = "check its host and port, and percent-encode special characters (a space is %20, '@' in a password %40)"
NAME = "write letters, digits, '.', '_' or '-', such as my-project (64 at most, a letter or digit first)"
UNITS = "write a number and its unit, such as 30s, 5m or 1h"
SIZES = "write a number and its unit, such as 500MB or 64GiB"
HEADER = "write Name: value, and a comma between two"


@pytest.mark.parametrize(
    ("name", "text", "code", "wrong", "remedy"),
    [
        (URL, "s3://bucket/x", "config_scheme", "'s3://bucket/x' has the unknown scheme s3://", BEGINNING),
        (URL, "host.example/x", "config_scheme", "'host.example/x' does not begin with a scheme", BEGINNING),
        (URL, "https:/host/x", "config_scheme", "'https:/host/x' does not begin with a scheme", BEGINNING),
        (URL, ",", "config_scheme", "names no address", BEGINNING),
        (
            URL,
            "oci://host/repo:tag",
            "config_scheme",
            "'oci://host/repo:tag': registries (oci://) are not supported yet",
            "publish the index to a static host and write its https:// address",
        ),
        (
            URL,
            "C:\\srv\\my index",
            "config_scheme",
            "'C:\\srv\\my index' is a path, and an address is needed",
            "write file:///C:/srv/my%20index",
        ),
        (URL, "\\\\server\\x", "config_scheme", "'\\\\server\\x' does not begin with a scheme", BEGINNING),
        (
            URL,
            "file://srv/index",
            "config_value",
            "'file://srv/index' has a host before its path",
            "write file:// and the absolute path: file:///srv/index",
        ),
        (
            "INDEX_BOOTSTRAP_ARCHIVE",
            "file:///srv/x.zip?CANARY",
            "config_value",
            "'file:///srv/x.zip' is a file and has a query",
            "leave it out (in a name, '?' is %3F)",
        ),
        (URL, "https:///x", "config_value", "'https://[redacted]' has no host", "write https://host/path"),
        (URL, "https://h:99999/", "config_value", "'https://h:99999/' is not a well-formed address", ENCODE),
        (URL, "https://h/a b", "config_value", "'https://h/a b' is not a well-formed address", ENCODE),
        (URL, "https://<h>/x", "config_value", "'https://[redacted]' is not a well-formed address", ENCODE),
        (URL, "http://[::1/x", "config_value", "'http://[redacted]' is not a well-formed address", ENCODE),
        (
            URL,
            "https://u:CANARY/w@h/x",
            "config_value",
            "'https://[redacted]' is not a well-formed address",
            ENCODE,
        ),
        (
            URL,
            "https://h/x#a/CANARY",
            "config_value",
            "'https://h/x' has a #ref that is no name of a snapshot",
            "write #latest, say: letters, digits, '.', '_' and '-'",
        ),
        (
            URL,
            "https://a/x#v1,https://b/x",
            "config_conflict",
            "'https://a/x,https://b/x' names mirrors with different refs",
            "write the same #ref after each of them, or after none",
        ),
        (
            "INDEX_BOOTSTRAP_ARCHIVE",
            "https://h/x.zip#sha256=CANARY",
            "config_value",
            "'https://h/x.zip' is a file's address and has a '#'",
            "leave out the '#' and what follows (a digest is pinned by its own setting; in a name write %23)",
        ),
        (URL, "${PACK_URL:-CANARY}", "config_unset_variable", f"holds ${{PACK_URL}} {UNSET}", FILL),
        (URL, "https://$HOST/x", "config_unset_variable", f"holds $HOST {UNSET}", FILL),
        (URL, "https://h/$(PACK)/x", "config_unset_variable", f"holds $(PACK) {UNSET}", FILL),
        (URL, "https://h/{{ .Values.pack }}", "config_unset_variable", f"holds {{{{.Values.pack}}}} {UNSET}", FILL),
        (URL, "https://u:$CANARY@h/x", "config_unset_variable", f"holds a $VARIABLE {UNSET}", FILL),
        ("INDEX_DIR", "$HOME/index", "config_unset_variable", f"holds $HOME {UNSET}", FILL),
        ("INDEX_DIR", "%APPDATA%\\index", "config_unset_variable", f"holds %APPDATA% {UNSET}", FILL),
        ("EMBEDDING_API_KEY", "${OPENAI_KEY}", "config_unset_variable", f"holds ${{OPENAI_KEY}} {UNSET}", FILL),
        ("EMBEDDING_API_KEY", "$CANARY", "config_unset_variable", f"holds a $VARIABLE {UNSET}", FILL),
        ("EMBEDDING_API_KEY", "'CANARY'", "config_value", "has quotation marks around it", "write it without them"),
        (
            "EMBEDDING_API_KEY",
            "CAN\nARY",
            "config_value",
            "holds a line break or another control character",
            "write it on one line",
        ),
        (
            "INDEX_BOOTSTRAP_SHA256",
            "CANARY",
            "config_digest",
            "is no SHA-256 digest of 64 hex digits: it has 6 characters",
            "write the 64 hex digits that sha256sum prints",
        ),
        (
            "INDEX_BOOTSTRAP_SHA256",
            "g" * 64,
            "config_digest",
            "is no SHA-256 digest of 64 hex digits: it has characters that are not hex digits",
            "write the 64 hex digits that sha256sum prints",
        ),
        (
            "INDEX_BOOTSTRAP_MODE",
            "folow",
            "config_value",
            "'folow' is not one of its values",
            "write if-missing or follow (did you mean follow?)",
        ),
        ("TRANSPORT", "sse", "config_value", "'sse' is not one of its values", "write stdio or http"),
        ("INDEX_BOOTSTRAP_REFRESH", "900", "config_value", "'900' is not a duration", UNITS),
        ("INDEX_BOOTSTRAP_REFRESH", "0s", "config_value", "'0s' is not between 1s and 365d", UNITS),
        ("AUTO_LOAD", "maybe", "config_value", "'maybe' is neither true nor false", "write true or false"),
        (
            "HTTP_TOKEN",
            "CANARY",
            "config_value",
            "has 6 characters, and a token has 16 to 1024",
            "write a random one: `openssl rand -hex 32` makes it",
        ),
        (
            "HTTP_TOKEN",
            "CANARY with spaces in between",
            "config_value",
            "holds a space or a character that is not ASCII, which no header can carry",
            "write a random one: `openssl rand -hex 32` makes it",
        ),
        (
            "HTTP_TOKEN",
            "CANARYCANARYCANARYCAN\u00c4RY",
            "config_value",
            "holds a space or a character that is not ASCII, which no header can carry",
            "write a random one: `openssl rand -hex 32` makes it",
        ),
        ("INDEX_BOOTSTRAP_MAX_SIZE", "lots", "config_value", "'lots' is not a size", SIZES),
        ("INDEX_BOOTSTRAP_MAX_SIZE", "0", "config_value", "'0' is not a size", SIZES),
        ("INDEX_BOOTSTRAP_MAX_SIZE", "1.5GB", "config_value", "'1.5GB' is not a size", SIZES),
        ("INDEX_BOOTSTRAP_CONNECTIONS", "0", "config_value", "'0' is not a number from 1 to 16", "write 1 to 16"),
        ("INDEX_BOOTSTRAP_CONNECTIONS", "17", "config_value", "'17' is not a number from 1 to 16", "write 1 to 16"),
        ("INDEX_BOOTSTRAP_CONNECTIONS", "two", "config_value", "'two' is not a number from 1 to 16", "write 1 to 16"),
        ("INDEX_BOOTSTRAP_TOKEN", "${CI_TOKEN}", "config_unset_variable", f"holds ${{CI_TOKEN}} {UNSET}", FILL),
        ("INDEX_BOOTSTRAP_HEADERS", "CANARY", "config_value", "has a header (number 1) that is none", HEADER),
        ("INDEX_BOOTSTRAP_HEADERS", "A:", "config_value", "has a header (number 1) that is none", HEADER),
        (
            "INDEX_BOOTSTRAP_HEADERS",
            "X-Key: CANARY, Range: bytes=0-",
            "config_value",
            "sets Range, which every request sets itself",
            "leave that one out",
        ),
        (
            "INDEX_BOOTSTRAP_HEADERS",
            "X-Key: CANARYé",
            "config_value",
            "has a value for X-Key that is not ASCII",
            "encode it as its receiver expects",
        ),
        ("PORT", "65536", "config_value", "'65536' is not a port", "write a number from 0 to 65535 (0: any free port)"),
        ("PORT", "-1", "config_value", "'-1' is not a port", "write a number from 0 to 65535 (0: any free port)"),
        ("HOST", "*", "config_value", "'*' is not a host name or IP address", "write 127.0.0.1, ::1 or 0.0.0.0, say"),
        ("HTTP", "8080", "config_value", "'8080' is not HOST:PORT", "write 127.0.0.1:8765 or [::1]:8765, say"),
        ("HTTP", "::1:80", "config_value", "'::1:80' is not HOST:PORT", "write 127.0.0.1:8765 or [::1]:8765, say"),
        (
            "EMBEDDING_URL",
            "file:///srv",
            "config_scheme",
            "'file:///srv' has the unknown scheme file://",
            "write an address that begins with http:// or https://",
        ),
        ("INDEX_NAME", "../x", "config_value", "'../x' is not usable as a file name everywhere", NAME),
        ("INDEX_NAME", "nul.txt", "config_value", "'nul.txt' is not usable as a file name everywhere", NAME),
        ("INDEX_NAME", "x.", "config_value", "'x.' is not usable as a file name everywhere", NAME),
        (
            "INDEX_DIR",
            "https://u:CANARY@h/x",
            "config_value",
            "'https://h/x' is an address",
            "write the path of a local directory or file",
        ),
        (
            "INDEX_DIR",
            "~no-such-user/x",
            "config_value",
            "'~no-such-user/x' starts at a home directory that is not known",
            "write an absolute path",
        ),
    ],
)
def test_a_wrong_value(name: str, text: str, code: str, wrong: str, remedy: str, *, load: Load) -> None:
    """The line has the variable, what is wrong and what to write, no secret, and the stable code."""
    error = load.mistake(**{name: text})
    assert str(error) == f"environment PYCONTEXTIFY_{name}: {wrong}; {remedy}"
    assert error.code == code
    assert "CANARY" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("prefix", ["", "file:"])
def test_a_local_path_is_answered_with_its_address(prefix: str, load: Load) -> None:
    """The whole address to write is in the line, and what looks like a query in a path is not repeated."""
    path = load.directory / "dist"
    error = load.mistake({"index_bootstrap_url": f"{prefix}{path}?CANARY"})
    wrong = f"'{prefix}{path}' is a path, and an address is needed"
    if len(f"{prefix}{path}") <= 80:
        assert error.what == wrong
    assert error.hint == f"write {path.as_uri()}"
    relative = load.mistake({"index_bootstrap_url": "./dist"})
    assert relative.hint == f"write {(Path.cwd() / 'dist').as_uri()}"


def test_several_mistakes_make_one_line(load: Load) -> None:
    """The first in the order of the table is told, the others are named."""
    error = load.mistake({"port": "x"}, AUTO_LOAD="x", INDEX_BOOTSTRAP_MODE="x")
    assert str(error) == (
        "environment PYCONTEXTIFY_INDEX_BOOTSTRAP_MODE: 'x' is not one of its values; write if-missing or follow "
        "(also wrong: environment PYCONTEXTIFY_AUTO_LOAD, flag --port)"
    )


def test_a_user_without_a_home(load: Load) -> None:
    """Where the system knows no home directory, the index's place has to be given."""
    nowhere = Places(config_file=None, indexes=None)
    with pytest.raises(ConfigError, match=r"^default of index_dir: .*; give --index-path or PYCONTEXTIFY_INDEX_DIR$"):
        load_settings({}, {}, places=nowhere)
    assert load_settings({"index_dir": load.directory}, {}, places=nowhere).index_dir == load.directory


def test_a_working_directory_that_is_gone(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path then has nowhere to start from."""
    gone = load.directory / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    error = load.mistake({"index_dir": "index"})
    assert str(error) == "flag --index-path: is relative, and the working directory is gone; write an absolute path"
    hint = load.mistake({"index_bootstrap_url": "./dist"}).hint
    assert hint == BEGINNING


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("500MB", 500_000_000), ("64GiB", 64 << 30), ("64 gib", 64 << 30), ("2k", 2000), ("2KiB", 2048)],
)
def test_sizes(text: str, size: int, load: Load) -> None:
    """Decimal units and binary ones, as they are written."""
    assert load(INDEX_BOOTSTRAP_MAX_SIZE=text).index_bootstrap_max_size == size


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("X-Key: abc", (("X-Key", "abc"),)),
        ("X-Key:abc,Y-Key:  d e f", (("X-Key", "abc"), ("Y-Key", "d e f"))),
        ("Cookie: a=1; b=2, X: 1,2, 3", (("Cookie", "a=1; b=2"), ("X", "1,2, 3"))),
        ("Authorization: Bearer a:b:c", (("Authorization", "Bearer a:b:c"),)),
    ],
)
def test_headers(text: str, headers: tuple[tuple[str, str], ...], load: Load) -> None:
    """Only a comma before a name and a colon separates; values keep theirs."""
    assert load(INDEX_BOOTSTRAP_HEADERS=text).index_bootstrap_headers == headers
