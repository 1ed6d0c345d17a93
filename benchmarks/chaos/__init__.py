"""Runs that are killed, and what they lose: nothing."""
