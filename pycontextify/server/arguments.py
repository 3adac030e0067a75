"""What the tools are asked with. Unknown arguments are refused: one that is silently ignored misleads."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "Arguments",
    "IndexFilebaseArguments",
    "NoArguments",
    "RehydrateArguments",
    "ResetIndexArguments",
    "SearchArguments",
]


def _listed(value: object) -> object:
    """Take a list that came as text, as JSON or with commas: some clients write every argument as text."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return [word.strip() for word in value.split(",") if word.strip()]


_Tag = Annotated[str, Field(min_length=1, max_length=100)]
_Tags = Annotated[list[_Tag], BeforeValidator(_listed), Field(max_length=20)]


class Arguments(BaseModel):
    """Arguments of any tool."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class NoArguments(Arguments):
    """For tools that take none."""


class SearchArguments(Arguments):
    """Arguments of ``search``."""

    query: str = Field(min_length=1, max_length=10_000, description="What to look for: a question, a phrase or a name.")
    limit: int = Field(10, ge=1, le=50, description="How many results at most.")
    mode: Literal["hybrid", "dense", "keyword"] = Field(
        "hybrid", description="hybrid: meaning and words; dense: meaning alone; keyword: words alone (exact names)."
    )
    tags: _Tags | None = Field(None, description="Only documents that carry all of these tags.")
    path: str | None = Field(
        None, max_length=1000, description="Only paths that match this glob, such as src/*.py; * also matches /."
    )
    language: str | None = Field(
        None, max_length=100, description="Only this language, such as python or markdown (see discover)."
    )


class IndexFilebaseArguments(Arguments):
    """Arguments of ``index_filebase``."""

    path: str = Field(
        min_length=1, max_length=4096, description="The directory to index, absolute, on the machine of the server."
    )
    tags: _Tags | None = Field(None, description="Tags for every document of the tree, to filter searches by.")
    tree: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="A label for the tree; by default the directory's name. The same label again replaces the tree.",
    )


class RehydrateArguments(Arguments):
    """Arguments of ``rehydrate``."""

    wait: bool = Field(
        default=False, description="Wait for the end, with progress; otherwise start it and return at once."
    )


class RollbackArguments(Arguments):
    """Arguments of ``rollback``."""

    to: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="A ref (previous, local), a digest or its beginning; by default the generation before this one.",
    )


class ResetIndexArguments(Arguments):
    """Arguments of ``reset_index``."""

    confirm: bool = Field(default=False, description="Really forget the index; otherwise tell what would be lost.")
