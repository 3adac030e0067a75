"""Addresses are shown without what is secret in them, however they are mangled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.redact import HIDDEN, one_line, redact_url, split_urls

DIGEST = "@sha256:" + "ab" * 32
CANARY = "CANARY"


@pytest.mark.parametrize(
    ("url", "visible"),
    [
        ("https://host/index", "https://host/index"),
        ("https://host:8443/a/b.tar.gz", "https://host:8443/a/b.tar.gz"),
        ("https://user:pass@host/index", "https://host/index"),
        ("https://token@host:8443/index", "https://host:8443/index"),
        ("https://us%40er:p%2Fw@host/index", "https://host/index"),
        ("https://us@er:pass@host/index", "https://host/index"),
        ("https://host/i.zip?X-Amz-Signature=abc&b=c", "https://host/i.zip"),
        ("https://host/i.zip?sig=a,b,c", "https://host/i.zip"),
        ("https://host/index#token", "https://host/index"),
        ("https://host?token", "https://host"),
        ("https://[::1]:80/index", "https://[::1]:80/index"),
        ("https://user:pass@[fe80::1%25eth0]/index", "https://[fe80::1%25eth0]/index"),
        ("file:///srv/index", "file:///srv/index"),
        ("file:///home/a@b/index", "file:///home/a@b/index"),
        ("https://cdn.example/gh/a/b@main/index", "https://cdn.example/gh/a/b@main/index"),
        ("https://host.example/x?mail=a@b", "https://host.example/x"),
        ("http://localhost:8000/a@b/index", "http://localhost:8000/a@b/index"),
        (f"oci://registry:5000/team/index{DIGEST}", f"oci://registry:5000/team/index{DIGEST}"),
        ("https://münchen.example/index", "https://münchen.example/index"),
        ("HTTPS://HOST/index", "HTTPS://HOST/index"),
        ("  https://host/index\n", "https://host/index"),
        ("", ""),
    ],
)
def test_an_address_keeps_scheme_host_port_and_path(url: str, visible: str) -> None:
    """Userinfo, query and fragment go; the rest stays as it was written, also when it is redacted again."""
    assert redact_url(url) == visible
    assert redact_url(visible) == visible


@pytest.mark.parametrize(
    "url",
    [
        "https://user:pa/CANARY@host/index",
        "https://user:CANARY/x@host/index",
        "https://user:pa?CANARY@host/index",
        "https://user:pa#CANARY@host/index",
        "https://user:12/CANARY@host/index",
        "https://user:12?CANARY@host/index",
        "https://user:a@b/CANARY@host/index",
        "https://user:a@CANARY?b@host/index",
        "https://user:CANARY@/index",
        "https://user:CANARY@[::1/index",
        "https://user:CANARY@bad host/index",
        "https:///user:CANARY@host/index",
        "https://CANARY:x",
        "https:/user:CANARY@host/index",
        "https:user:CANARY@host/index",
        "https:\\\\user:CANARY@host\\index",
        "//user:CANARY@host/index",
        "user:CANARY@host/index",
        "host/index?token=CANARY",
    ],
)
def test_a_mangled_address_shows_no_secret(url: str) -> None:
    """Where a secret can't be told from the rest, nothing is shown that may be one."""
    assert CANARY not in redact_url(url)


def test_a_list_is_redacted_address_by_address() -> None:
    """Mirrors may each have credentials of their own."""
    assert redact_url("https://a:b@one/x?c=d, https://e:f@two/y#g") == "https://one/x,https://two/y"
    assert redact_url("https://one/x,e:f@two/y?h=i") == f"https://{HIDDEN}"
    assert redact_url("https://u:a,b@one/x,https://two/y") == "https://one/x,https://two/y"


@pytest.mark.parametrize("text", ["/srv/index", "./dist", "C:\\srv\\index", "index", "30s"])
def test_what_is_no_address_stays(text: str) -> None:
    """A path or a word written in an address's place can be shown."""
    assert redact_url(text) == text


_password = st.text(alphabet=st.characters(exclude_characters=","), max_size=12)


@given(before=_password, after=_password, query=st.text(max_size=12))
def test_no_password_survives(before: str, after: str, query: str) -> None:
    """Whatever surrounds the secret in userinfo, encoded or not, and whatever a query holds, it is not shown."""
    assert CANARY not in redact_url(f"https://user:{before}{CANARY}{after}@host/index?{query}{CANARY}")


@given(st.text())
def test_the_result_is_one_printable_line(text: str) -> None:
    """Any text at all gives one line that an encoder takes."""
    visible = redact_url(text)
    assert len(visible.splitlines()) <= 1
    visible.encode()


def test_only_a_comma_before_a_scheme_separates() -> None:
    """A comma within an address is a part of it; entries left empty go."""
    assert split_urls("https://a/x?s=1,2, file:///b ,,") == ("https://a/x?s=1,2", "file:///b")
    assert split_urls(" , ") == ()


def test_one_line_escapes_what_breaks_a_line_or_an_encoder() -> None:
    """Log lines can't be forged through a value, and a name that is not Unicode can be written."""
    assert one_line("a\nb\x1b[0m\u2028\udc80é") == "a\\nb\\x1b[0m\\u2028\\udc80é"
