"""What runs as a process of its own to be measured: ``python -m benchmarks.parts.NAME …`` prints what it measured."""
