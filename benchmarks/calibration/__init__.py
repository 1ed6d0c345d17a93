"""Measures the error rates that docs/statistics.md states, on synthetic data; `python -m benchmarks.calibration`."""
