"""Feature probes as data, and what their recorded exchanges mean: pure."""
