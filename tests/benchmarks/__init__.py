"""Tests of the benchmarks: the rules they judge by, and that they measure at all. No time is asserted."""
