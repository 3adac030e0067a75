"""What `import pycontextify` offers. Nothing here reads the environment or a configuration file: what is not given is
the default."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import anyio

from pycontextify.config import Settings, settings_of_call
from pycontextify.errors import ConfigError, NotReadyError
from pycontextify.index.model import Answer, Hit, Mode, Overview, Query
from pycontextify.index.view import View
from pycontextify.ingest.crawl import CrawlRules
from pycontextify.ingest.report import IndexReport, OnProgress
from pycontextify.library.hydrating import hydrate
from pycontextify.library.source import configured_source
from pycontextify.library.workspace import Workspace
from pycontextify.publish.issue import AS_IT_IS, Issue
from pycontextify.publish.report import PublishReport
from pycontextify.publish.signing import read_secret_key, sign

__all__ = ["HydrateReport", "Index", "hydrate_index", "index_tree", "open_index", "publish_index"]


@dataclass(frozen=True, slots=True)
class HydrateReport:
    """``unchanged``: the source had what was here already. ``generation`` is the digest of what is current now."""

    result: Literal["installed", "unchanged"]
    generation: str
    bytes_fetched: int
    bytes_reused: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


class Index:
    """An open index: the generation that was current when it was opened. Thread safe. Close it, or use ``with``."""

    def __init__(self, view: View) -> None:
        self._view = view

    @property
    def generation(self) -> str:
        """The generation's digest."""
        return str(self._view.generation)

    @property
    def version(self) -> int:
        """The generation's version."""
        return self._view.config.version

    @property
    def degraded(self) -> str | None:
        """Why only words are searched, not meaning; None when both are."""
        return self._view.degraded

    def search(
        self,
        text: str,
        *,
        limit: int = 10,
        mode: Mode = "hybrid",
        tags: Sequence[str] = (),
        path: str | None = None,
        language: str | None = None,
    ) -> tuple[Hit, ...]:
        """Return the chunks that answer ``text``, best first; see `Query` for the filters."""
        return self.answer(Query(text, limit, mode, tuple(tags), path, language)).hits

    def answer(self, query: Query) -> Answer:
        """Answer a query; unlike `search`, the result tells whether meaning was searched."""
        return self._view.search(query)

    def overview(self) -> Overview:
        """Count what the index holds."""
        return self._view.overview()

    def close(self) -> None:
        """Release the files."""
        self._view.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_index(
    index_dir: str | os.PathLike[str],
    *,
    embedding_model: str | None = None,
    embedding_url: str | None = None,
    embedding_api_key: str | None = None,
) -> Index:
    """Open the current generation of an index directory.

    The encoder comes with the index; the ``embedding_…`` arguments are for one that was built with a service, or that
    was published without its encoder.

    Raises NotReadyError when there is no generation, StoreError or SnapshotRejected when it is damaged.
    """
    workspace = Workspace(_settings(index_dir, embedding_model, embedding_url, embedding_api_key))
    view = workspace.open_current()
    if view is None:
        raise NotReadyError(
            "there is no index here yet",
            code="index_empty",
            asset=str(index_dir),
            hint="make one with index_tree, or fetch one with hydrate_index",
        )
    return Index(view)


def index_tree(
    root: str | os.PathLike[str],
    index_dir: str | os.PathLike[str],
    *,
    tree: str | None = None,
    tags: Sequence[str] = (),
    rules: CrawlRules | None = None,
    version: int | None = None,
    on_progress: OnProgress | None = None,
    embedding_model: str | None = None,
    embedding_url: str | None = None,
    embedding_api_key: str | None = None,
) -> IndexReport:
    """Bring ``root`` up to date in an index directory: embed what is new, drop what is gone.

    ``tree`` labels the documents (default: the directory's name), so that one index can hold several trees.

    Raises IngestError, NotReadyError (no encoder), StoreError or ConfigError; the index is then as it was.
    """
    workspace = Workspace(_settings(index_dir, embedding_model, embedding_url, embedding_api_key))
    return workspace.index_tree(
        Path(root),
        tree=tree,
        tags=tags,
        rules=rules,
        version=version,
        on_progress=on_progress or (lambda _: None),
    )


def hydrate_index(
    index_dir: str | os.PathLike[str],
    *,
    url: str | None = None,
    archive: str | None = None,
    faiss_url: str | None = None,
    metadata_url: str | None = None,
    sha256: str | None = None,
    trusted_keys: Sequence[str] = (),
    channel: str | None = None,
) -> HydrateReport:
    """Fill an index directory from a published index: a layout's ``url``, an ``archive``, or a pair of files.

    With ``trusted_keys`` (public keys in minisign's form, or their files), one of them must have signed it. ``channel``
    is the one that it must be of (default: ``default``).

    Runs an event loop of its own, so it can't be called from within one.

    Raises ConfigError, FetchError, SnapshotRejected or StoreError; the index is then as it was.
    """
    arguments = {
        "index_dir": str(index_dir),
        "index_bootstrap_url": url,
        "index_bootstrap_archive": archive,
        "index_bootstrap_faiss_url": faiss_url,
        "index_bootstrap_metadata_url": metadata_url,
        "index_bootstrap_sha256": sha256,
        "index_bootstrap_trusted_keys": tuple(trusted_keys) or None,
        "index_bootstrap_channel": channel,
    }
    settings = settings_of_call(arguments)
    if configured_source(settings) is None:
        raise ConfigError(
            "no source to hydrate from is given",
            code="no_source",
            hint="give url, archive, or faiss_url and metadata_url",
        )
    outcome, status = anyio.run(hydrate, Workspace(settings))
    return HydrateReport(outcome.result, str(outcome.generation), status.bytes_done, status.bytes_reused)


def publish_index(
    index_dir: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    sign_key: str | os.PathLike[str] | None = None,
    sign_password: str = "",
) -> PublishReport:
    """Publish the current generation of an index directory into a directory that any static host can serve.

    ``sign_key`` is a secret key file to sign it with, ``sign_password`` what opens that.

    Raises NotReadyError when there is no generation, ConfigError (the key can't be used, or what is published is newer)
    or StoreError.
    """
    issue = AS_IT_IS
    if sign_key is not None:
        issue = Issue(sign=partial(sign, read_secret_key(Path(sign_key), lambda: sign_password)))
    return Workspace(settings_of_call({"index_dir": str(index_dir)})).publish_directory(Path(target), issue)


def _settings(index_dir: str | os.PathLike[str], model: str | None, url: str | None, api_key: str | None) -> Settings:
    return settings_of_call(
        {
            "index_dir": str(index_dir),
            "embedding_provider": "onnx" if url is None else "http",
            "embedding_model": model,
            "embedding_url": url,
            "embedding_api_key": api_key,
        }
    )
