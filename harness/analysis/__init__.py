"""The judging half: pure functions from records to a verdict."""
