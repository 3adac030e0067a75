"""Hydration: filling the index directory from a source, in the background, while queries go on."""
