"""What judging yields: the types that a report renders and that verdict.json holds."""
