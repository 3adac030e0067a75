"""Settings: a flag goes before a ``PYCONTEXTIFY_*`` environment variable, a TOML file, and the default.

Each value knows where it came from, and a wrong one stops the start with one line that says so. Read by hand on
purpose: pydantic-settings reads ``os.environ`` alone, takes lists as JSON, reports several lines that quote the value
and not its source, and would add a dependency and 0.06 s to the start.

=================  ====================================================================
module             job
=================  ====================================================================
``setting``        what there is to know about one
``settings``       every setting, once: `SETTINGS`, `Settings`, `describe`
``readers``        from text to a value, one function for each kind
``addresses``      the same for addresses
``keys``           the same for public keys
``access``         the same for who may come in, and what they may reach
``layers``         what flags, environment and file give, and a library function's arguments
``rules``          what values must hold together
``load``           `load_settings`, `settings_of_call`
=================  ====================================================================
"""

from __future__ import annotations

from pycontextify.config.load import Places, load_settings, settings_of_call, user_places
from pycontextify.config.origin import Origin
from pycontextify.config.readers import HostPort
from pycontextify.config.settings import SETTINGS, Row, Setting, Settings, describe

__all__ = [
    "SETTINGS",
    "HostPort",
    "Origin",
    "Places",
    "Row",
    "Setting",
    "Settings",
    "describe",
    "load_settings",
    "settings_of_call",
    "user_places",
]
