"""``pycontextify keygen``, and the password of a secret key: asked for where somebody can answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from pycontextify.cli.flags import COMMON
from pycontextify.cli.verbs import AsJson, verb
from pycontextify.config import Settings
from pycontextify.errors import ConfigError

__all__ = ["EXAMPLES", "keygen", "password_of"]

EXAMPLES = (
    "pycontextify keygen",
    "pycontextify keygen ~/keys/index.key --no-password",
)


@verb(COMMON & {"config", "log_level"}, interrupted="what is there of the key is of no use; make another one")
def keygen(
    settings: Settings,
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="where to write the secret key; the public one is put beside it")
    ] = Path("pycontextify.key"),
    no_password: Annotated[
        bool, typer.Option("--no-password", help="leave the secret key readable, for a place that keeps secrets")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a pair of keys to sign published indexes with.

    They are in the format of minisign. `publish --sign` takes the secret key; servers are given the public one as
    --index-bootstrap-trusted-keys.
    """
    from pycontextify.publish.signing import check_new, generate_key, write_key_pair

    path = path.expanduser().absolute()
    check_new(path)
    password = "" if no_password else password_of(settings, path, new=True)
    key = generate_key()
    public = write_key_pair(key, path, password)
    if as_json:
        print(json.dumps({"secret_key": str(path), "public_key": str(public), "key": str(key.public)}, indent=2))
        return
    print(f"{path}\n{public}\nServers take what this key has signed, and nothing else, with:")
    print(f"  --index-bootstrap-trusted-keys {key.public}")


def password_of(settings: Settings, path: Path, *, new: bool = False) -> str:
    """Return the password of a secret key: the setting's, else what somebody types.

    Raises ConfigError where nobody can.
    """
    if settings.sign_password is not None:
        return settings.sign_password
    if not sys.stdin.isatty():
        other = ", or leave it without one (--no-password)" if new else ""
        raise ConfigError(
            "its password is needed, and nobody is there to type it",
            code="password_needed",
            asset=str(path),
            hint=f"set PYCONTEXTIFY_SIGN_PASSWORD{other}",
        )
    typed: str = typer.prompt(f"Password of {path}", hide_input=True, confirmation_prompt=new, err=True)
    return typed
