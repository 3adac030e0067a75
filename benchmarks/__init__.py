"""Benchmarks: how fast PyContextify is, as ratios to ordinary tools on the same bytes, measured in one run."""
