"""Tests that break every write-side system call in turn. They need strace, and run with ``make test-system``."""
