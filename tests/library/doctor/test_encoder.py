"""The doctor's look at the encoder."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pycontextify.library.doctor.encoder import examine_encoder
from tests.fakes.encoder import write_tiny_model
from tests.library.conftest import Library


def found(library: Library) -> list[tuple[str, str]]:
    """The codes and levels of what is found."""
    return [(each.code, each.level) for each in examine_encoder(library.workspace())]


def test_an_index_without_its_encoder_is_a_warning(library: Library) -> None:
    """Words can be searched."""
    library.make(library.workspace().layout, 1)
    assert found(library) == [("encoder_missing", "warning")]


class _Slow:
    """A clock that lets much time pass between two looks."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 10
        return self._now


@pytest.mark.parametrize(("clock", "code"), [(time.monotonic, "encoder"), (_Slow(), "encoder_slow")])
def test_how_long_a_sentence_takes_is_told(
    library: Library, tmp_path: Path, clock: Callable[[], float], code: str
) -> None:
    """Every search takes as long."""
    write_tiny_model(tmp_path / "model", words=["where", "is", "it"])
    workspace = library.workspace(embedding_model=str(tmp_path / "model"))
    (told,) = examine_encoder(workspace, clock)
    assert told.code == code
    assert "embeds a sentence in" in told.what


def test_without_an_index_the_settings_own_is_tried(library: Library) -> None:
    """One that is not there is a warning: what is hydrated may bring its own."""
    assert [level for _, level in found(library)] == ["warning"]


def test_a_damaged_index_is_somebody_else_s_to_tell(library: Library) -> None:
    """Nothing is embedded then."""
    layout = library.workspace().layout
    library.make(layout, 1)
    (layout.root / "index.json").write_bytes(b"{")
    assert found(library) == [("encoder_untried", "note")]
