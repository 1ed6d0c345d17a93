"""The faults: each a function from a script to the script of what goes wrong."""
