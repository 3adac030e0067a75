"""The snapshot format: pure values and rules, no I/O.

A snapshot is an OCI image manifest (https://github.com/opencontainers/image-spec, manifest.md) whose config names the
segments and the encoder, and whose layers are their blobs.
"""
