"""What to do about an error, where its own hint leaves a question open. By code; Markdown."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ADVICE"]

_ARCHIVE = "The archive is refused whole and nothing of it is kept. Make it with `pycontextify publish --archive`."
_PASSES = "Nothing needs to be done if it passes: the next attempt comes by itself, and goes on from where it was."
_AGAIN = (
    "What is served goes on being served, and this digest is not fetched again until the source has another or "
    "somebody calls `rehydrate`. Build and publish the index again; if it was an interrupted upload, upload it again."
)
_GENERAL = "The general code of its class, where nothing more precise is known. The message says what happened."

ADVICE: Mapping[str, str] = {
    "archive_bomb": _ARCHIVE,
    "archive_corrupt": _ARCHIVE,
    "archive_kind_ambiguous": _ARCHIVE,
    "archive_too_large": "What it may unpack to is bounded by `index_bootstrap_max_size`.",
    "archive_too_many_members": _ARCHIVE,
    "archive_trailing": _ARCHIVE,
    "client_file": (
        "A client's settings file could not be edited without a doubt, so it was left as it is. What to add was printed: "
        "put it there by hand, or correct the file and run `pycontextify install` again."
    ),
    "archive_truncated": "The upload was cut, or is still going on. Upload it again; write it beside its place and move it.",
    "arguments_invalid": "An assistant's mistake, which it usually corrects by itself: the answer names what is wrong.",
    "blob_rotten": "The disk, or whoever writes there, has changed a file that never changes. `pycontextify doctor --deep` "
    "sets such files aside, and the next hydration fetches them alone. If it happens again, look at the disk.",
    "body_too_large": "No tool takes that much. Shorten the query.",
    "busy": "One change of the index at a time, eight searches at once and 64 waiting. Ask again.",
    "channel_differs": "The signature is right, and the index is another one of the same publisher's.",
    "chunks_incoherent": _AGAIN,
    "chunks_schema": "It was built by a version of PyContextify with another schema. Build it with this one.",
    "chunks_unreadable": _AGAIN,
    "config_blob_invalid": _AGAIN,
    "config_invalid": _GENERAL,
    "config_unknown_key": "`pycontextify config show` lists every key, and [Settings](settings.md) explains them.",
    "connect_failed": f"Is the host up, and does a firewall or a proxy stand between? {_PASSES}",
    "connect_timeout": f"Is the host up, and does a firewall or a proxy stand between? {_PASSES}",
    "connection_lost": _PASSES,
    "deadline_exceeded": "A very large index, or a slow line. It is finished over several attempts.",
    "demo_failed": "One of the demo's own checks did not hold. Please report it with the output.",
    "digest_mismatch": "Each mirror was asked for all of it once more, and none has what the manifest names. An upload that is "
    "still going on, a cache in between, or somebody who changes files. See [static hosting](../guide/static-hosting.md): "
    "blobs first, index.json last.",
    "dns_failed": f"Correct the address, or the machine's resolver. In a pod: is there a network policy against it? {_PASSES}",
    "encoded_reply": "Switch compression off for these files: they are compressed already. "
    "For nginx `gzip off;`, for a CDN its automatic compression.",
    "encoder_altered": "The model's file is not the one that this version expects. Install PyContextify again.",
    "encoder_differs": "Vectors of two models can't be compared. Search with the model that built the index (a published "
    "directory brings it along), or build the index with yours.",
    "encoder_missing": "A server whose index came as an archive or pair needs the model from its own installation.",
    "encoder_unreachable": "Until it answers, words alone are searched, and answers say so (`index_state` is `degraded`).",
    "engine_unavailable": "The background work stopped for good. The message says why; `status` and the log have the rest. "
    "After correcting that, start the server again.",
    "error": _GENERAL,
    "extract_failed": _GENERAL,
    "fetch_failed": _GENERAL,
    "fetch_permanent": _GENERAL,
    "fetch_transient": _GENERAL,
    "file_missing": "Is the share mounted, and is the address absolute (`file:///srv/public`)?",
    "file_not_regular": "Give the directory that holds `index.json`, or a plain file. Links and devices are not followed.",
    "host_refused": "A server that listens on loopback answers to loopback names alone. Behind a proxy, have the proxy send "
    "`Host: localhost` (the recipes in `deploy/` do), or listen at the address that the proxy asks for.",
    "home_unknown": "Write the whole path.",
    "http_416": "The file at the source has become shorter. It is fetched from its first byte on.",
    "http_…": "The three digits are the status. 401 and 403: a login is missing, or may not read it. 404: the address, "
    "or a ref or blob that was not uploaded. 408, 425, 429 and 5xx pass; all others are looked at again after "
    "a quarter of an hour, or when somebody calls `rehydrate`.",
    "index_json_invalid": "Does the address lead to the published directory, and not to a page about it? "
    "`curl URL/index.json` shows.",
    "ingest_failed": _GENERAL,
    "internal": "A mistake of ours. Please report it with what `--log-level DEBUG` shows.",
    "internal_error": "A mistake of ours. Please report it with the log.",
    "key_unusable": "Is it the secret key, not the `.pub` file? Is `PYCONTEXTIFY_SIGN_PASSWORD` the right one?",
    "manifest_invalid": "An OCI artifact lies there, and it is no index of PyContextify's.",
    "member_duplicate": _ARCHIVE,
    "member_case_collision": _ARCHIVE,
    "member_encrypted": _ARCHIVE,
    "member_lies": _ARCHIVE,
    "member_name_hostile": f"{_ARCHIVE} If you did not make it, ask who did.",
    "member_not_regular": f"{_ARCHIVE} If you did not make it, ask who did.",
    "no_generation": "`pycontextify status --generations` lists what there is to go back to.",
    "not_ready": _GENERAL,
    "origin_refused": "A web page asked. Only pages from this machine may, or from the host that the server is reached at.",
    "pair_same": "Both settings lead to one file. Correct one of them.",
    "path_relative": "The server's working directory is not the assistant's.",
    "probe_failed": f"The model that this server has does not find what the publisher's found. {_AGAIN}",
    "proxy_failed": f"The proxy in `HTTPS_PROXY` or `HTTP_PROXY`. Hosts in `NO_PROXY` are asked directly. {_PASSES}",
    "range_refused": "The download starts over as one plain stream. No one sees this code unless that fails too.",
    "read_timeout": _PASSES,
    "redirect_invalid": "The Location that the server sends is no http or https address.",
    "redirect_limit": "Give the address where the chain ends.",
    "ref_missing": "The message lists the refs that are there. A published directory has `latest`.",
    "reply_malformed": "Another service answers at this port, or http was asked of an https port.",
    "request_too_slow": "10 seconds for the head of a request, 30 for its body. A proxy that buffers requests helps.",
    "schema_unsupported": "The format's version is 1. Servers and CI should run the same release.",
    "signature_invalid": "Something was changed after it was signed, or the signature is another file's. If nobody on your side "
    "did that, treat it as an attack and look at the host.",
    "signature_missing": "With trusted keys set, nothing unsigned is taken. An archive's or file's signature lies beside it as "
    "`NAME.minisig`, and must be uploaded with it.",
    "signature_untrusted": "A new key? Trust both while it changes: `index_bootstrap_trusted_keys` takes several.",
    "size_exceeded": "Often a login page or an error page that came with status 200. "
    "`curl -I` on the address shows its size.",
    "snapshot_expired": "What is served goes on being served. Look at the job that publishes: it has stopped, or its upload "
    "does not arrive.",
    "snapshot_rejected": _GENERAL,
    "staging_unsafe": "Something that is no directory lies where downloads are unpacked. Look at `.pycontextify/partial/` in the "
    "index directory.",
    "state_damaged": "The file is `.pycontextify/state.json` in the index directory. Without it an older version is no longer "
    "recognised.",
    "store_failed": _GENERAL,
    "store_locked": "`pycontextify status` tells of the other one. The lock is the operating system's, so a dead process "
    "never holds it. On a network file system locks may not work: use a local disk.",
    "tls_failed": f"Something in between that breaks TLS open, or old versions of it? {_PASSES}",
    "tls_files": "PEM files, readable by the server's user; the key without a password.",
    "tls_untrusted": "A private authority: name its PEM file in `index_bootstrap_ca_file`. There is no switch that turns the "
    "check off.",
    "token_missing": "The probes need it too. In a client's configuration: a header `Authorization: Bearer …`.",
    "token_refused": "After a change of the token, restart what uses it.",
    "too_slow": f"Below 200 bytes a second over 30 seconds. {_PASSES}",
    "tree_unreadable": "Give the server's user the right to read it.",
    "tree_unsupported": "Only directories and regular files are indexed.",
    "truncated": f"The connection was cut, or the upload is still going on. {_PASSES}",
    "untrusted": _GENERAL,
    "validate_failed": _GENERAL,
    "vectors_incoherent": _AGAIN,
    "vectors_kind": "Only the kinds in the [snapshot format](snapshot-format.md#vectors) are read.",
    "vectors_unreadable": _AGAIN,
    "verify_failed": _GENERAL,
    "version_lower": "On a server: the source has gone back. If that is meant, `publish --supersede` gives it a higher version, and "
    "`hydrate --allow-older` takes it once. In CI: a newer job was faster, and this one has nothing to do.",
}
