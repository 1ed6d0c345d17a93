"""Opt-in measurements of the harness itself: long, seeded, none of them a test."""
