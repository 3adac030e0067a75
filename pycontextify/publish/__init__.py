"""Publishing: a generation as files that any static host can serve."""
