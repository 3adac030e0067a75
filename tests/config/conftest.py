"""What the tests of settings share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pycontextify.config import Places, Settings, load_settings
from pycontextify.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Load:
    """Loads settings for a user whose files live in ``directory``; environment names are given without prefix."""

    directory: Path
    places: Places = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", Places(self.directory / "user" / "config.toml", self.directory / "indexes"))

    def __call__(self, flags: Mapping[str, object] | None = None, /, **environment: str) -> Settings:
        environ = {f"PYCONTEXTIFY_{name}": value for name, value in environment.items()}
        return load_settings(flags or {}, environ, places=self.places)

    def mistake(self, flags: Mapping[str, object] | None = None, /, **environment: str) -> ConfigError:
        """Return the error that these settings must raise."""
        with pytest.raises(ConfigError) as caught:
            self(flags, **environment)
        return caught.value

    def write(self, content: str | bytes) -> Path:
        """Write the user's own configuration file."""
        path = self.directory / "user" / "config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """A loader of settings with an empty home."""
    return Load(tmp_path)
