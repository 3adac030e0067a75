"""Signatures and public keys in minisign's format: what is taken, and that nothing else is."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import UntrustedError
from pycontextify.publish.signing import SecretKey, sign
from pycontextify.snapshot.signature import (
    SIGNATURE_LIMIT,
    PublicKey,
    check_document,
    check_file,
    check_trusted,
    parse_public_key,
    parse_signature,
    prehash,
)
from tests.fakes.signers import OTHER, SIGNER, key_of, reference_key, signature_of, vouched_by

DOCUMENT = b'{"mediaType":"application/vnd.oci.image.manifest.v1+json","schemaVersion":2}'
SIGNED = signature_of(DOCUMENT, comment="file:abc\tversion:7")
KEYS = (SIGNER.public,)
FLIPS = (*(1 << bit for bit in range(8)), 0x07, 0x2A, 0x55, 0xFF)
ORDER = 2**252 + 27742317777372353535851937790883648493
"""Of the group that Ed25519 computes in (RFC 8032, section 5.1)."""


def judge(signature: bytes, content: bytes = DOCUMENT, *keys: PublicKey) -> PublicKey:
    """Return who vouches for a document by this signature file."""
    return check_document(parse_signature(signature, asset="it"), keys or KEYS, content, asset="it")


def refusal(signature: bytes, content: bytes = DOCUMENT, *keys: PublicKey) -> str:
    """Return the code under which it is refused that anybody vouches for a document by this signature file."""
    with pytest.raises(UntrustedError) as caught:
        judge(signature, content, *keys)
    assert caught.value.asset == "it"
    assert caught.value.hint
    assert len(str(caught.value)) < 300
    return caught.value.code


def flipped(content: bytes, place: int, mask: int) -> bytes:
    """Return bytes with some bits of one of them turned over."""
    return content[:place] + bytes([content[place] ^ mask]) + content[place + 1 :]


def lines_of(signature: bytes) -> list[bytes]:
    """Return the four lines of a signature file."""
    return signature.removesuffix(b"\n").split(b"\n")


def joined(lines: list[bytes]) -> bytes:
    """Return the signature file that has these lines."""
    return b"".join(line + b"\n" for line in lines)


# Who vouches


def test_what_is_signed_is_vouched_for() -> None:
    """By the key that signed it, whichever others are trusted; and the signature says which key it is made with."""
    assert judge(SIGNED) == SIGNER.public
    assert judge(SIGNED, DOCUMENT, OTHER.public, SIGNER.public) == SIGNER.public
    parsed = parse_signature(SIGNED, asset="it")
    assert parsed.name == SIGNER.public.name == f"{int.from_bytes(SIGNER.key_id, 'little'):016X}"
    assert parsed.trusted_comment == b"file:abc\tversion:7"


def test_any_of_several_keys_will_do() -> None:
    """So that keys can be changed one after the other: both are trusted while servers learn of the new one."""
    keys = (SIGNER.public, OTHER.public)
    assert judge(SIGNED, DOCUMENT, *keys) == SIGNER.public
    assert judge(signature_of(DOCUMENT, OTHER), DOCUMENT, *keys) == OTHER.public
    assert refusal(signature_of(DOCUMENT, key_of("third")), DOCUMENT, *keys) == "signature_untrusted"


def test_another_implementation_takes_our_signatures() -> None:
    """Of this document, and of no other."""
    assert vouched_by(SIGNER.public, DOCUMENT, SIGNED)
    assert not vouched_by(SIGNER.public, DOCUMENT + b" ", SIGNED)


@pytest.mark.parametrize("prehashed", [True, False])
def test_we_take_signatures_of_another_implementation(tmp_path: Path, *, prehashed: bool) -> None:
    """In both forms, of the document's hash and, as old versions of minisign make it, of the document itself."""
    made = bytes(reference_key(tmp_path).sign(DOCUMENT, prehash=prehashed, trusted_comment="anything"))
    assert parse_signature(made, asset="it").prehashed is prehashed
    for ending in (b"", b"\n"):
        assert judge(made + ending) == SIGNER.public
    assert refusal(made, DOCUMENT + b" ") == "signature_invalid"


def test_a_file_is_held_against_its_hash(tmp_path: Path) -> None:
    """It may be larger than memory; the old form, which would need all of it there, is refused with what to do."""
    assert check_file(parse_signature(SIGNED, asset="it"), KEYS, prehash(DOCUMENT), asset="it") == SIGNER.public
    with pytest.raises(UntrustedError) as caught:
        check_file(parse_signature(SIGNED, asset="it"), KEYS, prehash(b"another"), asset="it")
    assert caught.value.code == "signature_invalid"
    legacy = parse_signature(bytes(reference_key(tmp_path).sign(DOCUMENT, prehash=False)), asset="it")
    with pytest.raises(UntrustedError, match="old form") as caught:
        check_file(legacy, KEYS, prehash(DOCUMENT), asset="it")
    assert caught.value.code == "signature_invalid"
    assert "without minisign's option -l" in (caught.value.hint or "")


@pytest.mark.parametrize("keys", [(), (OTHER.public,)])
def test_a_signature_by_a_stranger_is_known_without_what_it_signs(keys: tuple[PublicKey, ...]) -> None:
    """So that nothing large is fetched in vain; which key it would take is said."""
    parsed = parse_signature(SIGNED, asset="it")
    check_trusted(parsed, KEYS, asset="it")
    with pytest.raises(UntrustedError, match=SIGNER.public.name) as caught:
        check_trusted(parsed, keys, asset="it")
    assert caught.value.code == "signature_untrusted"
    assert "index_bootstrap_trusted_keys" in (caught.value.hint or "")


def test_keys_of_one_id_are_told_apart() -> None:
    """The id is a name that anybody can take: what counts is which key the signature fits."""
    namesake = SecretKey(SIGNER.key_id, OTHER.seed)
    keys = (namesake.public, SIGNER.public)
    assert judge(SIGNED, DOCUMENT, *keys) == SIGNER.public
    assert judge(signature_of(DOCUMENT, namesake), DOCUMENT, *keys) == namesake.public
    assert refusal(signature_of(DOCUMENT, namesake)) == "signature_invalid"


def test_a_signature_must_be_whole() -> None:
    """Two signatures by the right key make no third: the comment's goes with the first alone."""
    first, second = lines_of(SIGNED), lines_of(signature_of(b"another", comment="file:abc\tversion:9"))
    assert refusal(joined([*first[:2], *second[2:]])) == "signature_invalid"
    assert refusal(joined([*first[:3], second[3]])) == "signature_invalid"
    assert refusal(joined([first[0], second[1], *first[2:]])) == "signature_invalid"


def test_a_signature_has_one_spelling() -> None:
    """Adding the order of the group to its second half would give another one that fits (RFC 8032, 5.1.7)."""
    lines = lines_of(SIGNED)
    for number, head in ((1, 10), (3, 0)):
        raw = base64.b64decode(lines[number])
        half = int.from_bytes(raw[head + 32 :], "little") + ORDER
        again = base64.b64encode(raw[: head + 32] + half.to_bytes(32, "little"))
        assert refusal(joined([*lines[:number], again, *lines[number + 1 :]])) == "signature_invalid"


# What was changed


def test_any_flip_in_what_is_signed_is_refused() -> None:
    """At each place, several ways."""
    for place in range(len(DOCUMENT)):
        for mask in FLIPS:
            assert refusal(SIGNED, flipped(DOCUMENT, place, mask)) == "signature_invalid"


def test_any_flip_in_a_signature_is_refused() -> None:
    """At each place of the second to fourth line, line ends included; in the key id it names another key."""
    start = SIGNED.index(b"\n") + 1
    codes = {refusal(flipped(SIGNED, place, mask)) for place in range(start, len(SIGNED)) for mask in FLIPS}
    assert codes == {"signature_invalid", "signature_untrusted"}


def test_the_first_comment_is_nobodys() -> None:
    """No signature covers it and nothing reads it (minisign's format), so that changing its text changes nothing.

    The words before the text belong to the form and must be there; and its end must stay where it was.
    """
    end, prefix = SIGNED.index(b"\n"), len(b"untrusted comment: ")
    parsed = parse_signature(SIGNED, asset="it")
    for mask in FLIPS:
        for place in range(prefix):
            assert refusal(flipped(SIGNED, place, mask)) == "signature_invalid"
        for place in range(prefix, end):
            changed = flipped(SIGNED, place, mask)
            if changed[place] != ord("\n"):
                assert parse_signature(changed, asset="it") == parsed
                assert judge(changed) == SIGNER.public
        assert refusal(flipped(SIGNED, end, mask)) == "signature_invalid"


@pytest.mark.parametrize("line", [1, 3])
@pytest.mark.parametrize(
    "spoil",
    [
        lambda line: line.removesuffix(b"="),
        lambda line: line.rstrip(b"="),
        lambda line: line + b"=",
        lambda line: line + b"\0",
        lambda line: b" " + line,
        lambda line: line + b" ",
        lambda line: line[:40] + b"\t" + line[40:],
        lambda line: line[:40] + b"\r" + line[40:],
        lambda line: line + b"\r\r",
        lambda line: line[:40] + b"-" + line[41:],
        lambda line: line[:40] + "é".encode() + line[40:],
        lambda line: line[:-4],
        lambda line: line + line,
        lambda line: line[:0],
    ],
)
def test_base64_has_one_spelling(line: int, spoil: Callable[[bytes], bytes]) -> None:
    """No padding too few or too many, no white space, no other alphabet: another spelling is another file."""
    lines = lines_of(SIGNED)
    lines[line] = spoil(lines[line])
    assert lines[line] != lines_of(SIGNED)[line]
    assert refusal(joined(lines)) == "signature_invalid"


@pytest.mark.parametrize("line", [1, 3])
def test_the_bits_that_base64_leaves_over_are_zero(line: int) -> None:
    """A decoder would drop them, and one signature would have several files."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    lines = lines_of(SIGNED)
    text = lines[line].rstrip(b"=")
    padding = lines[line][len(text) :]
    assert padding
    last = alphabet.index(text[-1])
    for extra in range(1, 4 if len(padding) == 1 else 16):
        lines[line] = text[:-1] + alphabet[last + extra : last + extra + 1] + padding
        assert base64.b64decode(lines[line]) == base64.b64decode(lines_of(SIGNED)[line])
        assert refusal(joined(lines)) == "signature_invalid"


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r"])
def test_only_line_feeds_end_lines(separator: str) -> None:
    """What Python's splitlines takes for line ends besides is a part of the line, as it is for minisign."""
    lines = lines_of(SIGNED)
    assert refusal(separator.encode().join(lines) + b"\n") == "signature_invalid"
    assert refusal(lines[0] + separator.encode() + joined(lines[1:])) == "signature_invalid"
    assert refusal(joined([*lines[:3], lines[3] + separator.encode()]).removesuffix(b"\n")) == "signature_invalid"
    commented = sign(SIGNER, prehash(DOCUMENT), f"one{separator}two")
    assert judge(commented) == SIGNER.public
    assert parse_signature(commented, asset="it").trusted_comment == f"one{separator}two".encode()


def test_windows_line_ends_are_taken() -> None:
    """Such as an editor there, or git, puts in: they are no part of what is signed."""
    windows = SIGNED.replace(b"\n", b"\r\n")
    assert judge(windows) == judge(windows.removesuffix(b"\r\n")) == SIGNER.public
    assert parse_signature(windows, asset="it") == parse_signature(SIGNED, asset="it")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n\n\n",
        b"<!doctype html>\n<title>Not found</title>\n",
        SIGNED + b"\n",
        SIGNED + SIGNED,
        b"\n" + SIGNED,
        b"\xef\xbb\xbf" + SIGNED,
        SIGNED.removeprefix(b"un"),
        joined(lines_of(SIGNED)[1:]),
        joined(lines_of(SIGNED)[:3]),
        SIGNED.replace(b"\ntrusted comment: ", b"\nuntrusted comment: "),
        SIGNED.replace(b"signature from", b"x" * SIGNATURE_LIMIT),
    ],
    ids=range(12),
)
def test_what_is_no_signature_file_is_refused(content: bytes) -> None:
    """An error page, say, or one line too many or too few; with what to do."""
    with pytest.raises(UntrustedError, match="its signature is malformed") as caught:
        parse_signature(content, asset="it")
    assert (caught.value.code, caught.value.asset) == ("signature_invalid", "it")
    assert "publish --sign" in (caught.value.hint or "")


def test_another_algorithm_is_refused() -> None:
    """What a later minisign might write is not taken for Ed25519."""
    lines = lines_of(SIGNED)
    raw = base64.b64decode(lines[1])
    for algorithm in (b"Ee", b"eD", b"\0\0", b"RS"):
        lines[1] = base64.b64encode(algorithm + raw[2:])
        with pytest.raises(UntrustedError, match="another algorithm"):
            parse_signature(joined(lines), asset="it")


def test_the_two_forms_are_not_mixed_up() -> None:
    """A signature of a hash, called one of the document itself, is a signature of something else."""
    lines = lines_of(SIGNED)
    raw = base64.b64decode(lines[1])
    lines[1] = base64.b64encode(b"Ed" + raw[2:])
    assert refusal(joined(lines)) == "signature_invalid"


# Public keys


def test_a_public_key_survives_being_written_and_read() -> None:
    """As its line of 56 characters, or in a file under its comment, whatever ends the lines."""
    key = SIGNER.public
    assert len(str(key)) == 56
    assert str(key).startswith("RW")
    comment = f"untrusted comment: minisign public key {key.name}"
    for text in (f"{key}", f" {key}\n", f"{comment}\n{key}\n", f"{comment}\r\n{key}\r\n", f"{comment}\n{key}"):
        assert parse_public_key(text) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "RW",
        str(SIGNER.public)[:-1],
        f"{SIGNER.public}A",
        f"{SIGNER.public}=",
        f"{str(SIGNER.public)[:30]} {str(SIGNER.public)[30:]}",
        f"{SIGNER.public}\n{OTHER.public}",
        f"anything\n{SIGNER.public}",
        f"anything\x0b{SIGNER.public}",
        f"untrusted comment: x\u2028{SIGNER.public}",
        f"untrusted comment: x\n{SIGNER.public}\n{OTHER.public}",
        f"untrusted comment: x\nuntrusted comment: y\n{SIGNER.public}",
        "\ud800",
        base64.b64encode(b"ED" + SIGNER.key_id + SIGNER.public.key).decode(),
        base64.b64encode(b"Ed" + SIGNER.key_id + SIGNER.public.key + b"\0").decode(),
    ],
    ids=range(16),
)
def test_what_is_no_public_key_is_refused(text: str) -> None:
    """In words that hold nothing of it, for it may be a secret key; of two keys in a file none is left out quietly."""
    with pytest.raises(ValueError, match="minisign") as caught:
        parse_public_key(text)
    assert str(SIGNER.public)[4:20] not in str(caught.value)


# The points of order 4, 1, 8, 8 and 2, and the first two once more with the field's order added.
WEAK = (
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
)


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("point", WEAK)
def test_a_key_that_anybody_can_sign_with_is_refused(point: str, sign: int) -> None:
    """All zeros, as a template may have it, is such a key: there are signatures that fit it for every document."""
    key = bytearray.fromhex(point)
    key[31] |= sign
    with pytest.raises(ValueError, match="anybody"):
        parse_public_key(str(PublicKey(SIGNER.key_id, bytes(key))))


def test_why_such_a_key_is_refused() -> None:
    """The neutral point and the number zero, put together without any secret, fit everything."""
    neutral = bytes([1, *bytes(31)])
    forged = base64.b64encode(b"ED" + SIGNER.key_id + neutral + bytes(32))
    content = joined([b"untrusted comment: x", forged, b"trusted comment: x", base64.b64encode(neutral + bytes(32))])
    key = PublicKey(SIGNER.key_id, neutral)
    assert judge(content, b"anything", key) == judge(content, b"at all", key) == key


# Anything at all


def near(text: bytes) -> st.SearchStrategy[bytes]:
    """Return bytes that are a few edits away from these."""

    def edited(edits: list[tuple[int, int, bytes]]) -> bytes:
        content = text
        for place, cut, put in edits:
            content = content[:place] + put + content[place + cut :]
        return content

    edit = st.tuples(st.integers(0, len(text)), st.integers(0, 3), st.binary(max_size=3))
    return st.lists(edit, max_size=3).map(edited)


@given(content=st.binary(max_size=400) | near(SIGNED))
def test_arbitrary_bytes_are_refused_or_right(content: bytes) -> None:
    """Nothing but an UntrustedError comes of them; and what is taken is our signature, but for the first comment."""
    try:
        parsed = parse_signature(content, asset="it")
        check_document(parsed, KEYS, DOCUMENT, asset="it")
    except UntrustedError:
        return
    assert parsed == parse_signature(SIGNED, asset="it")


@given(text=st.text(st.characters(), max_size=80) | near(str(SIGNER.public).encode()).map(lambda b: b.decode("latin1")))
def test_arbitrary_text_is_a_key_or_a_value_error(text: str) -> None:
    """And a key has one spelling, but for the white space around it."""
    try:
        key = parse_public_key(text)
    except ValueError:
        return
    assert str(key) == text.strip()


@given(key=st.binary(min_size=32, max_size=32), signature=st.binary(min_size=64, max_size=64))
def test_arbitrary_keys_vouch_for_nothing(key: bytes, signature: bytes) -> None:
    """Bytes that are no point of the curve are no reason to fail in another way."""
    content = joined(
        [
            b"untrusted comment: x",
            base64.b64encode(b"ED" + SIGNER.key_id + signature),
            b"trusted comment: x",
            base64.b64encode(signature),
        ]
    )
    assert refusal(content, DOCUMENT, PublicKey(SIGNER.key_id, key)) == "signature_invalid"
