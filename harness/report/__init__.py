"""Pages from an analysis: what they say, how it looks, where it is written."""
