"""Peers, each by a script that the Python of their own environment runs: ``python -m benchmarks.peers.NAME …``."""
