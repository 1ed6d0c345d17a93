"""What recorded bytes and instants mean: pure, offline, repeatable."""
