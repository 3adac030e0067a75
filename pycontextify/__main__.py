"""``python -m pycontextify``: the command line."""

from __future__ import annotations

from pycontextify.cli import main

if __name__ == "__main__":
    main()
