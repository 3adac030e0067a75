"""The terms of a publication, from what is written on the command line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pycontextify.cli.keys import password_of
from pycontextify.config import Settings
from pycontextify.config.readers import check_text, read_channel, read_seconds
from pycontextify.errors import ConfigError
from pycontextify.snapshot.config import version_at
from pycontextify.snapshot.signature import PublicKey, check_file, parse_signature

if TYPE_CHECKING:
    from pycontextify.publish.issue import Issue, Sign

__all__ = ["issue_of", "signer"]

_T = TypeVar("_T")


def issue_of(channel: str | None, expires_in: str | None, sign: Sign | None, *, supersede: bool) -> Issue:
    """Return the terms, as of now. Raises ConfigError for an option that can't be read."""
    from pycontextify.publish.issue import Issue

    now = datetime.now(UTC)
    lasting = _read("--expires-in", read_seconds, expires_in)
    return Issue(
        channel=_read("--channel", read_channel, channel),
        expires=None if lasting is None else now + timedelta(seconds=lasting),
        supersede=version_at(now) if supersede else None,
        sign=sign,
    )


def signer(settings: Settings, key_file: Path | None, signature: Path | None) -> Sign | None:
    """Return what signs: a secret key, or a signature that was made elsewhere. Raises ConfigError or VerifyError."""
    if key_file is not None:
        from pycontextify.publish.signing import read_secret_key, sign

        place = key_file.expanduser()
        return partial(sign, read_secret_key(place, lambda: password_of(settings, place)))
    if signature is not None:
        return partial(_made_elsewhere, settings.index_bootstrap_trusted_keys, signature.expanduser())
    return None


def _made_elsewhere(keys: Sequence[PublicKey], path: Path, prehashed: bytes, _comment: str) -> bytes:
    """Return a signature that was made elsewhere; where keys are known, one of them must have made it of just this."""
    content = _content(path)
    signature = parse_signature(content, asset=str(path))
    if keys:
        check_file(signature, keys, prehashed, asset=str(path))
    return content


def _read(flag: str, read: Callable[[str], _T], text: str | None) -> _T | None:
    """Read an option as a setting of its kind is read."""
    if text is None:
        return None
    try:
        return read(check_text(text))
    except ConfigError as error:
        error.asset = flag
        raise


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"it can't be read ({error.strerror})",
            code="signature_unreadable",
            asset=str(path),
            hint="name the file that minisign made",
        ) from error
