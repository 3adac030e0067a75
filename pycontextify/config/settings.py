"""Every setting, once: its name, type, form, default and help. A new setting is one more field of `Settings`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pycontextify.config.access import read_access_token, read_roots
from pycontextify.config.addresses import read_file_urls, read_layout_urls, read_service_url
from pycontextify.config.keys import load_public_keys, read_public_keys
from pycontextify.config.origin import Origin
from pycontextify.config.readers import (
    HostPort,
    one_of,
    read_bool,
    read_channel,
    read_digest,
    read_file_name,
    read_headers,
    read_host,
    read_host_port,
    read_path,
    read_port,
    read_seconds,
    read_size,
    read_text,
    whole_number,
)
from pycontextify.config.setting import Setting, about, about_list
from pycontextify.redact import redact_url
from pycontextify.snapshot.config import DEFAULT_CHANNEL
from pycontextify.snapshot.digest import Digest
from pycontextify.snapshot.signature import PublicKey

__all__ = ["BY_NAME", "SETTINGS", "Row", "Setting", "Settings", "describe"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """The values in force, in the order in which they are documented and checked.

    Addresses hold whatever credentials they were given: show settings through `describe`, as ``repr`` does.
    ``origins`` tells where each value came from. ``warnings`` are sentences about what looks like a slip and stops
    nothing, such as an unknown environment variable.
    """

    config: Path | None = field(
        metadata=about(
            read_path, "FILE", "TOML file of settings (default: the user's own config.toml, if there is one)"
        )
    )
    index_bootstrap_url: tuple[str, ...] = field(
        metadata=about_list(
            read_layout_urls,
            "URL[#REF][,MIRROR]",
            "where an index is published: the http, https or file address of its directory; "
            "#REF names one of its refs (default: latest)",
        )
    )
    index_bootstrap_archive: tuple[str, ...] = field(
        metadata=about_list(
            read_file_urls, "URL[,MIRROR]", "address of an index as a .zip, .tar, .tar.gz, .tgz or .tar.zst archive"
        )
    )
    index_bootstrap_faiss_url: tuple[str, ...] = field(
        metadata=about_list(read_file_urls, "URL[,MIRROR]", "address of an index's .faiss file; needs the other one")
    )
    index_bootstrap_metadata_url: tuple[str, ...] = field(
        metadata=about_list(read_file_urls, "URL[,MIRROR]", "address of an index's .sqlite file; needs the other one")
    )
    index_bootstrap_sha256: Digest | None = field(
        metadata=about(
            read_digest, "HEX", "SHA-256 that the archive, or the manifest of the published index, must have"
        )
    )
    index_bootstrap_faiss_sha256: Digest | None = field(
        metadata=about(read_digest, "HEX", "SHA-256 that the .faiss file must have")
    )
    index_bootstrap_metadata_sha256: Digest | None = field(
        metadata=about(read_digest, "HEX", "SHA-256 that the .sqlite file must have")
    )
    index_bootstrap_trusted_keys: tuple[PublicKey, ...] = field(
        metadata=about_list(
            read_public_keys,
            "KEY[,KEY]",
            "minisign public keys, or their .pub files: what none of them has signed is refused",
            load=load_public_keys,
        )
    )
    index_bootstrap_channel: str = field(
        metadata=about(read_channel, "NAME", "channel that the index must be of", default=DEFAULT_CHANNEL)
    )
    index_bootstrap_mode: Literal["if-missing", "follow"] = field(
        metadata=about(
            one_of("if-missing", "follow"),
            "if-missing|follow",
            "fetch only while there is no local index, or keep following what is published",
            default="if-missing",
        )
    )
    index_bootstrap_refresh: float = field(
        metadata=about(read_seconds, "DURATION", "how often to look for a new index when following", default="15m")
    )
    index_bootstrap_token: str | None = field(
        metadata=about(read_text, "TOKEN", "bearer token for the configured addresses, and for no others", secret=True)
    )
    index_bootstrap_headers: tuple[tuple[str, str], ...] = field(
        metadata={
            "setting": Setting(
                read_headers,
                "NAME: VALUE[, …]",
                "headers for the configured addresses, and for no others: Name: value, several with a comma between",
                absent=(),
                secret=True,
            )
        }
    )
    index_bootstrap_ca_file: Path | None = field(
        metadata=about(read_path, "FILE", "PEM file of the authorities to trust, in place of the system's")
    )
    index_bootstrap_client_cert: Path | None = field(
        metadata=about(read_path, "FILE", "PEM file of the certificate to show to the configured addresses")
    )
    index_bootstrap_client_key: Path | None = field(
        metadata=about(read_path, "FILE", "PEM file of its key, where it is not in the same file; without a password")
    )
    index_bootstrap_connections: int = field(
        metadata=about(whole_number(1, 16), "N", "how many requests may be under way at once", default="4")
    )
    index_bootstrap_max_size: int = field(
        metadata=about(read_size, "SIZE", "the largest file to fetch", default="64GiB")
    )
    index_dir: Path = field(
        metadata=about(
            read_path,
            "DIR",
            "where the index lives (default: the index name, in the user's data directory)",
            flag_name="index-path",
        )
    )
    index_name: str = field(
        metadata=about(read_file_name, "NAME", "name of the index and of the files it is exported to", default="index")
    )
    auto_load: bool = field(
        metadata=about(read_bool, "[true|false]", "load the local index at the start", default="true")
    )
    auto_persist: bool = field(
        metadata=about(read_bool, "[true|false]", "save the index after every change", default="true")
    )
    keep_generations: int = field(
        metadata=about(
            whole_number(1, 100), "N", "how many generations to keep, the current one among them", default="3"
        )
    )
    embedding_provider: Literal["onnx", "http"] = field(
        metadata=about(
            one_of("onnx", "http"),
            "onnx|http",
            "what embeds text: a model run here, or an OpenAI-compatible service",
            default="onnx",
        )
    )
    embedding_model: str | None = field(
        metadata=about(
            read_text,
            "DIR|NAME",
            "directory with model.onnx and tokenizer.json (default: the built-in model); a service's model name",
        )
    )
    embedding_url: str | None = field(
        metadata=about(read_service_url, "URL", "address of the embedding service, such as http://localhost:11434/v1")
    )
    embedding_api_key: str | None = field(
        metadata=about(read_text, "KEY", "key for the embedding service", secret=True)
    )
    sign_password: str | None = field(
        metadata=about(read_text, "PASSWORD", "password of the key that `publish --sign` signs with", secret=True)
    )
    transport: Literal["stdio", "http"] = field(
        metadata=about(one_of("stdio", "http"), "stdio|http", "how MCP clients connect", default="stdio")
    )
    host: str = field(
        metadata=about(read_host, "HOST", "interface that the http transport listens on", default="127.0.0.1")
    )
    port: int = field(
        metadata=about(read_port, "PORT", "port that the http transport listens on; 0 is any free one", default="8765")
    )
    http: HostPort | None = field(
        metadata=about(read_host_port, "HOST:PORT", "serve the status routes there, beside the stdio transport")
    )
    http_token: str | None = field(
        metadata=about(
            read_access_token, "TOKEN", "bearer token that every HTTP request must carry, the probes' too", secret=True
        )
    )
    insecure: bool = field(
        metadata=about(
            read_bool,
            "[true|false]",
            "listen without a token where other machines can reach it: something in front authenticates",
            default="false",
        )
    )
    require_index: bool = field(
        metadata=about(
            read_bool,
            "[true|false]",
            "without an index to search, /readyz says no (503): traffic goes to servers that have one",
            default="false",
        )
    )
    allowed_roots: tuple[Path, ...] = field(
        metadata={
            "setting": Setting(
                read_roots,
                "DIR[:DIR]",
                "what the tool index_filebase may index: directories, with a : between (on Windows a ;) "
                "(default: the working directory, unless that is /)",
                absent=(),
                separator=os.pathsep,
            )
        }
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = field(
        metadata=about(
            one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"), "LEVEL", "least level to log", default="INFO"
        )
    )
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{row.name}={row.value!r}' for row in describe(self))})"


SETTINGS: tuple[Setting, ...] = tuple(
    replace(found, name=each.name) for each in fields(Settings) if (found := each.metadata.get("setting"))
)
"""Every setting, in order."""

BY_NAME: Mapping[str, Setting] = MappingProxyType({setting.name: setting for setting in SETTINGS})
"""The same, by name."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of ``pycontextify config show``; ``value`` is redacted and ready for JSON, a list for several."""

    name: str
    value: str | int | bool | list[str] | None
    origin: str
    help: str


def describe(settings: Settings) -> tuple[Row, ...]:
    """Tell every setting's value in the form it is written in, redacted, and where it came from."""
    return tuple(
        Row(
            setting.name,
            _visible(getattr(settings, setting.name), secret=setting.secret),
            str(settings.origins[setting.name]),
            setting.help,
        )
        for setting in SETTINGS
    )


def _visible(value: object, *, secret: bool) -> str | int | bool | list[str] | None:
    match value:
        case None | int():
            return value
        case _ if secret and value:
            return "***"
        case float():
            return f"{value:g}s"
        case tuple():
            return [_visible_url(item) if isinstance(item, str) else str(item) for item in value]
        case str() if "://" in value:
            return redact_url(value)
        case _:
            return str(value)


def _visible_url(url: str) -> str:
    # A fragment that was read is a ref: a name, checked as such.
    return redact_url(url) + url[len(url.partition("#")[0]) :]
