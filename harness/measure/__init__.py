"""The measuring half: talks to endpoints, writes what it saw."""
