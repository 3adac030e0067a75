"""Tests of getting bytes from an address to this disk."""
