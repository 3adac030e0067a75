"""What settings must hold together: rules over the values in force, each naming the settings that it is about."""

from __future__ import annotations

from pycontextify.config.access import is_loopback
from pycontextify.config.layers import argument_of
from pycontextify.config.settings import BY_NAME, Settings
from pycontextify.errors import ConfigError

__all__ = ["check_together"]

_DIRECT = ("index_bootstrap_url", "index_bootstrap_archive")
_PAIR = ("index_bootstrap_faiss_url", "index_bootstrap_metadata_url")
_PAIR_PINS = ("index_bootstrap_faiss_sha256", "index_bootstrap_metadata_sha256")


def check_together(settings: Settings) -> None:
    """Raise ConfigError for the first contradiction among the values, or the first that lacks another."""
    _check_source(settings)
    _check_pins(settings)
    _check_keys(settings)
    _check_embedding(settings)
    _check_listening(settings)
    _check_reach(settings)


def _check_source(settings: Settings) -> None:
    pair = _given(settings, *_PAIR)
    sources = [*_given(settings, *_DIRECT), *pair[:1]]
    if len(sources) > 1:
        raise _contradiction(settings, sources[:2], "only one place can be the source of the index", "keep one of them")
    if len(pair) == 1:
        missing = _also(settings, next(name for name in _PAIR if name not in pair), pair[0])
        raise _lacking(settings, pair[0], "is half of a pair", f"give {missing} too", code="config_half_pair")
    if settings.index_bootstrap_mode == "follow" and not sources:
        wanted = _also(settings, "index_bootstrap_url", "index_bootstrap_mode")
        raise _lacking(settings, "index_bootstrap_mode", "follow has nothing to follow", f"give {wanted} too")


def _check_pins(settings: Settings) -> None:
    pair, direct = _given(settings, *_PAIR), _given(settings, *_DIRECT)
    pin = "index_bootstrap_sha256"
    if settings.index_bootstrap_sha256 and pair:
        first, second = (_also(settings, name, pin) for name in _PAIR_PINS)
        raise _contradiction(
            settings,
            (pin, pair[0]),
            "one digest can't pin two files",
            f"pin them with {first} and {second}",
        )
    if settings.index_bootstrap_sha256 and not direct:
        wanted = " or ".join(_also(settings, name, pin) for name in _DIRECT)
        raise _lacking(settings, pin, "there is nothing that it pins", f"give {wanted} too, or leave it out")
    for name in _given(settings, *_PAIR_PINS):
        if not pair:
            wanted = " and ".join(_also(settings, half, name) for half in _PAIR)
            instead = f"; an archive or a published index is pinned with {_also(settings, pin, name)}" if direct else ""
            raise _lacking(
                settings,
                name,
                "pins a file of a pair, and no pair is given",
                f"give {wanted}, or leave it out{instead}",
            )


def _check_keys(settings: Settings) -> None:
    token, headers = "index_bootstrap_token", "index_bootstrap_headers"
    if settings.index_bootstrap_token and any(
        name.lower() == "authorization" for name, _ in settings.index_bootstrap_headers
    ):
        raise _contradiction(settings, (token, headers), "both set the Authorization header", "keep one of them")
    if settings.index_bootstrap_client_key and not settings.index_bootstrap_client_cert:
        wanted = _also(settings, "index_bootstrap_client_cert", "index_bootstrap_client_key")
        raise _lacking(settings, "index_bootstrap_client_key", "is a key without its certificate", f"give {wanted} too")


def _check_embedding(settings: Settings) -> None:
    if settings.embedding_provider == "http":
        missing = [name for name in ("embedding_url", "embedding_model") if getattr(settings, name) is None]
        if missing:
            wanted = " and ".join(_also(settings, name, "embedding_provider") for name in missing)
            raise _lacking(
                settings, "embedding_provider", "http needs the service's address and a model", f"give {wanted} too"
            )
    elif settings.embedding_url and settings.origins["embedding_provider"].layer == "default":
        # Silently embedding with another model than the one behind this address would be a nasty surprise.
        provider = _also(settings, "embedding_provider", "embedding_url")
        raise _lacking(
            settings,
            "embedding_url",
            "is of no use to the default provider, onnx",
            f"set {provider} to http, or leave it out",
        )


def _check_listening(settings: Settings) -> None:
    if settings.http and settings.transport == "http":
        written = settings.origins["http"].written
        where = " and ".join(_also(settings, name, "transport") for name in ("host", "port"))
        raise _contradiction(
            settings,
            ("http", "transport"),
            "the http transport serves the status routes itself",
            f"leave out {written}, and say with {where} where to listen",
        )


def _check_reach(settings: Settings) -> None:
    if settings.transport == "http":
        name, listening = "host", settings.host
    elif settings.http is not None:
        name, listening = "http", settings.http.host
    else:
        return
    if is_loopback(listening) or settings.http_token or settings.insecure:
        return
    token, insecure = (_also(settings, each, name) for each in ("http_token", "insecure"))
    raise _lacking(
        settings,
        name,
        f"{listening} can be reached from other machines, and no token keeps them out",
        f"set {token} (`openssl rand -hex 32` makes one), or {insecure} if something in front authenticates",
        code="listening_insecure",
    )


def _given(settings: Settings, *names: str) -> list[str]:
    return [name for name in names if getattr(settings, name)]


def _also(settings: Settings, name: str, beside: str) -> str:
    """Return how ``name`` is written where ``beside`` was."""
    setting, origin = BY_NAME[name], settings.origins[beside]
    match origin.layer:
        case "flag":
            return setting.flag or setting.env
        case "argument":
            return argument_of(name)
        case "file":
            return setting.name
        case _:
            return setting.env


def _contradiction(settings: Settings, names: list[str] | tuple[str, ...], what: str, hint: str) -> ConfigError:
    asset = " and ".join(settings.origins[name].subject for name in names)
    return ConfigError(what, code="config_conflict", asset=asset, hint=hint)


def _lacking(settings: Settings, name: str, what: str, hint: str, *, code: str = "config_missing") -> ConfigError:
    return ConfigError(what, code=code, asset=settings.origins[name].subject, hint=hint)
