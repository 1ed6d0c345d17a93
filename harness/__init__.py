"""Golden-set parity benchmark for OpenAI-compatible endpoints."""

__version__ = "0.1.0"
