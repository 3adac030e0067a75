"""Tests of the scripts that check a change, and of the lock files."""
