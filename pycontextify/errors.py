"""Every error PyContextify raises on purpose, grouped by what the caller does next.

==========================  =====================================================  =========
error                       the caller's next step                                 exit code
==========================  =====================================================  =========
``ConfigError``             stop, and correct the setting                          2
``TransientFetchError``     try again, after ``retry_after`` seconds when given    4
``PermanentFetchError``     wait for the next schedule                             4
``SnapshotRejected``        keep the old generation, never take this digest again  3
``StoreError``              have somebody look at the disk                         1
``NotReadyError``           ask again later, or do without                         1
``IngestError``             correct what was asked to be indexed                   1
==========================  =====================================================  =========

A message says what happened, to which asset, and what to do. It never carries userinfo, a query string or the
value of a header: those who build a message redact addresses first.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "ConfigError",
    "ExtractError",
    "FetchError",
    "IngestError",
    "NotReadyError",
    "PermanentFetchError",
    "PyContextifyError",
    "SnapshotRejected",
    "StoreError",
    "TransientFetchError",
    "UntrustedError",
    "ValidateError",
    "VerifyError",
]


class PyContextifyError(Exception):
    """Root of the tree.

    ``code`` is stable: scripts and dashboards may match on it. ``asset`` names what the error is about (an address,
    a file, a setting), redacted. ``hint`` says what to do.
    """

    default_code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def __init__(
        self, what: str, *, code: str | None = None, asset: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = code or self.default_code
        self.asset = asset
        self.hint = hint

    def __str__(self) -> str:
        subject = f"{self.asset}: {self.what}" if self.asset else self.what
        return f"{subject}; {self.hint}" if self.hint else subject


class ConfigError(PyContextifyError):
    """A setting is wrong or contradicts another one."""

    default_code = "config_invalid"
    exit_code = 2


class FetchError(PyContextifyError):
    """A source did not give what was asked of it."""

    default_code = "fetch_failed"
    exit_code = 4


class TransientFetchError(FetchError):
    """The same request may succeed later.

    ``retry_after`` is what the server asked for, in seconds, or None.
    """

    default_code = "fetch_transient"

    def __init__(
        self,
        what: str,
        *,
        code: str | None = None,
        asset: str | None = None,
        hint: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(what, code=code, asset=asset, hint=hint)
        self.retry_after = retry_after


class PermanentFetchError(FetchError):
    """Asking again at once would get the same answer."""

    default_code = "fetch_permanent"


class SnapshotRejected(PyContextifyError):  # noqa: N818 - reads as the verdict it is
    """The source answered, and what it gave must not be used."""

    default_code = "snapshot_rejected"
    exit_code = 3


class VerifyError(SnapshotRejected):
    """Bytes do not match their digest, size or form."""

    default_code = "verify_failed"


class UntrustedError(VerifyError):
    """Nobody who is trusted vouches for it, or it is older, or something else, than what is wanted."""

    default_code = "untrusted"


class ExtractError(SnapshotRejected):
    """An archive is damaged, hostile, or holds something else than an index."""

    default_code = "extract_failed"


class ValidateError(SnapshotRejected):
    """The bytes are what was published, but they do not cohere as an index."""

    default_code = "validate_failed"


class StoreError(PyContextifyError):
    """The local index directory can't be read or written as needed."""

    default_code = "store_failed"


class NotReadyError(PyContextifyError):
    """What was asked for needs something that is not there yet."""

    default_code = "not_ready"


class IngestError(PyContextifyError):
    """A tree can't be indexed as asked."""

    default_code = "ingest_failed"
