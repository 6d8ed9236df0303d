"""Benchmarks: `python -m bench` lists them, `python -m bench <name>` runs one. Results are in `bench/results`."""
