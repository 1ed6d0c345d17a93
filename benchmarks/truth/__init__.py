"""Runs the measuring client against a server that logs what it really sent, and prints the difference.

    python -m benchmarks.truth                          # against the package's own truth server
    python -m benchmarks.truth --truthd ./truthd        # against a faster one, in C
    python -m benchmarks.truth --url http://… --log …   # against any server with a truth log

The client has one core for itself, the server another; nothing else should run.
"""
