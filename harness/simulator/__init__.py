"""An endpoint with known truth: what it sends, when, and what is wrong with it."""
