"""The real client against the simulator, judged by what the simulator logged."""
