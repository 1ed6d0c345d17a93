"""Remembers what may never be shown, so that the last border before a terminal can strike it out."""

from collections.abc import Iterable

_HIDDEN: set[str] = set()


def hide(values: Iterable[bytes]) -> None:
    """Strike these out of whatever this process says when it ends badly."""
    _HIDDEN.update(value.decode("latin-1") for value in values)


def struck(text: str) -> str:
    """Put asterisks for every hidden value, the longest first."""
    for value in sorted(_HIDDEN, key=len, reverse=True):
        text = text.replace(value, "*" * len(value))
    return text
