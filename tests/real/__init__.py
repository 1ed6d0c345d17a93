"""Opt-in checks against servers that we did not write: ./scripts/test --real."""
