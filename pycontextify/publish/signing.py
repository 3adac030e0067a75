"""Signing: secret keys in the format of minisign, and the signatures they make.

Source: https://jedisct1.github.io/minisign/, "Private key format". The base64 of ``Ed``, a key derivation (``Sc``,
scrypt, or two zero bytes for none), ``B2``, 32 bytes of salt, two little-endian numbers that say how much work scrypt
is, and then, combined by exclusive or with what scrypt makes of the password: key id, seed, public key, and the
BLAKE2b-256 of ``Ed`` and those three.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from pycontextify.errors import ConfigError
from pycontextify.snapshot.signature import PublicKey
from pycontextify.store.durable import flush, on_disk, write_bytes

__all__ = ["SecretKey", "check_new", "generate_key", "read_secret_key", "sign", "write_key_pair"]

_ALGORITHM, _PREHASHED, _SCRYPT, _PLAIN, _CHECKSUM = b"Ed", b"ED", b"Sc", b"\0\0", b"B2"
_HEAD, _BODY = 54, 104
# What minisign uses, and no key of its asks for more: 2^20 rounds of 8 blocks, 1 GiB and about three seconds.
_WORK, _MEMORY = 33_554_432, 1_073_741_824


@dataclass(frozen=True, slots=True)
class SecretKey:
    """What signs: the id that its signatures name it by, and its seed (RFC 8032)."""

    key_id: bytes
    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        """The key that its signatures are checked with."""
        return PublicKey(self.key_id, self._private.public_key().public_bytes_raw())

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


def generate_key(random: Callable[[int], bytes] = os.urandom) -> SecretKey:
    """Make a new key."""
    return SecretKey(random(8), random(32))


def sign(key: SecretKey, prehashed: bytes, trusted_comment: str) -> bytes:
    """Return the signature file for what has this BLAKE2b-512. ``trusted_comment`` is one line."""
    private, comment = key._private, trusted_comment.encode()  # noqa: SLF001 - of this module
    signature = private.sign(prehashed)
    lines = (
        b"untrusted comment: signature from minisign secret key",
        base64.b64encode(_PREHASHED + key.key_id + signature),
        b"trusted comment: " + comment,
        base64.b64encode(private.sign(signature + comment)),
    )
    return b"".join(line + b"\n" for line in lines)


def read_secret_key(path: Path, password: Callable[[], str]) -> SecretKey:
    """Read a secret key file; ``password`` is asked for only where one is needed.

    Raises ConfigError when it is none, or is not opened by the password.
    """
    try:
        lines = path.read_text("ascii").strip().splitlines()
        raw = base64.b64decode(lines[-1], validate=True)
        checked = len(raw) == _HEAD + _BODY and raw[:2] == _ALGORITHM and raw[4:6] == _CHECKSUM
    except OSError as error:
        raise _unusable(path, f"it can't be read ({error.strerror})") from error
    except (ValueError, IndexError):
        raise _unusable(path, "it is no minisign secret key") from None
    if not checked or raw[2:4] not in (_SCRYPT, _PLAIN):
        raise _unusable(path, "it is no minisign secret key")
    body = raw[_HEAD:] if raw[2:4] == _PLAIN else _opened(path, raw, password())
    key, checksum = SecretKey(body[:8], body[8:40]), body[72:]
    right = checksum == _checksum(body) or (raw[2:4] == _PLAIN and not any(checksum))
    if not right or key.public.key != body[40:72]:
        raise _unusable(path, "the password is wrong" if raw[2:4] == _SCRYPT else "it is damaged")
    return key


def check_new(path: Path) -> Path:
    """Return where the public key goes that belongs to a secret one at ``path``.

    Raises ConfigError when there is a file at either place.
    """
    public = path.with_name(f"{path.name.removesuffix('.key')}.pub")
    for each in (path, public):
        if each.exists():
            raise ConfigError(
                "there is such a file already, and a key that is overwritten is lost",
                code="key_exists",
                asset=str(each),
                hint="name another place",
            )
    return public


def write_key_pair(key: SecretKey, path: Path, password: str) -> Path:
    """Write a secret key to ``path``, for its owner alone, and the public key beside it; return where that is.

    An empty password leaves the secret key as it is, for those who keep it where secrets are kept. Raises ConfigError
    when either file exists, StoreError.
    """
    public = check_new(path)
    _write_private(path, _packed(path, key, password))
    line = f"untrusted comment: minisign public key {key.public.name}\n{key.public}\n"
    write_bytes(public, line.encode())
    return public


def _packed(path: Path, key: SecretKey, password: str) -> bytes:
    body = key.key_id + key.seed + key.public.key
    body += _checksum(body)
    head = _ALGORITHM + _PLAIN + _CHECKSUM + bytes(_HEAD - 6)
    if password:
        work = _WORK.to_bytes(8, "little") + _MEMORY.to_bytes(8, "little")
        head = _ALGORITHM + _SCRYPT + _CHECKSUM + os.urandom(32) + work
        body = _combined(path, body, head, password)
    else:
        body = body[:72] + bytes(32)  # as `minisign -G -W` writes it
    return b"untrusted comment: minisign encrypted secret key\n" + base64.b64encode(head + body) + b"\n"


def _opened(path: Path, raw: bytes, password: str) -> bytes:
    if int.from_bytes(raw[38:46], "little") > _WORK:
        raise _unusable(path, "it asks for more work than any key of minisign's")
    return _combined(path, raw[_HEAD:], raw[:_HEAD], password)


def _combined(path: Path, body: bytes, head: bytes, password: str) -> bytes:
    work, memory = (int.from_bytes(head[start : start + 8], "little") for start in (38, 46))
    rounds, blocks, lanes = _scrypt_parameters(work, memory)
    try:
        stream = Scrypt(head[6:38], _BODY, n=rounds, r=blocks, p=lanes).derive(password.encode())
    except MemoryError as error:
        raise ConfigError(
            "its password takes more memory than there is here",
            code="key_memory",
            asset=str(path),
            hint="have 1 GiB free, or use a key without a password (`pycontextify keygen --no-password`)",
        ) from error
    return bytes(left ^ right for left, right in zip(body, stream, strict=True))


def _scrypt_parameters(work: int, memory: int) -> tuple[int, int, int]:
    """Return N, r and p as libsodium's crypto_pwhash_scryptsalsa208sha256 chooses them for its two limits."""
    work, blocks = max(work, 32_768), 8
    if work < memory // 32:
        return 1 << _power(work // (blocks * 4)), blocks, 1
    power = _power(memory // (blocks * 128))
    return 1 << power, blocks, max(1, min(work // 4 >> power, 0x3FFFFFFF) // blocks)


def _power(most: int) -> int:
    return next(power for power in range(1, 64) if 1 << power > most // 2)


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(_ALGORITHM + body[:72], digest_size=32).digest()


def _write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on. Raises StoreError."""
    with on_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            flush(file.fileno())


def _unusable(path: Path, why: str) -> ConfigError:
    hint = "name a secret key that `pycontextify keygen` or `minisign -G` made"
    return ConfigError(why, code="key_unusable", asset=str(path), hint=hint)
