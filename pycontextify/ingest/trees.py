"""Where each tree of a local index came from.

Documents are named relative to their tree, so the tree's label is all that tells two directories of the same name
apart. This remembers, on this machine only and outside the snapshot, which directory a label stands for, so that
indexing ``/work/a/docs`` does not silently replace ``/work/b/docs``.
"""

from __future__ import annotations

import json
from pathlib import Path

from pycontextify.errors import IngestError
from pycontextify.store.durable import write_bytes

__all__ = ["check_label", "remember_label"]


def check_label(register: Path, label: str, root: Path) -> None:
    """Raise IngestError when ``label`` stands for another directory than ``root`` in the file ``register``."""
    known = _read(register).get(label)
    if known is not None and known != str(root):
        raise IngestError(
            f"the label {label!r} stands for {known} in this index",
            code="tree_label_taken",
            asset=str(root),
            hint="give this tree another label with --tree",
        )


def remember_label(register: Path, label: str, root: Path) -> None:
    """Note that ``label`` stands for ``root``."""
    known = _read(register)
    if known.get(label) != str(root):
        write_bytes(register, json.dumps({**known, label: str(root)}, indent=1, sort_keys=True).encode())


def _read(register: Path) -> dict[str, str]:
    """Read the register; a missing or damaged one knows nothing, for it only guards against mistakes."""
    try:
        content = json.loads(register.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
