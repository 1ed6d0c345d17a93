"""Sockets that we own: composed requests go out, bytes with instants come back."""
