"""Keeps where an internal error happened, without what the program was working on."""

import os
import re
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.model.keyforms import key_form

_SECRET_NAME = re.compile(r"key|token|secret|password|credential|auth", re.IGNORECASE)
_LOOKS_LIKE_KEY = re.compile(rf"\b{key_form(8)}|Bearer\s+\S+", re.IGNORECASE)
_LEAST_SECRET = 6  # characters; a shorter value would strike out words
_STRUCK = "***"


def keep_traceback(error: BaseException, environ: Mapping[str, str]) -> Path | None:
    """Write the places of an error and its causes to a file of its own; None where that is impossible.

    Places are files, lines and functions: no value of a variable. The messages of errors are left out, since they may
    quote a prompt or an answer.
    """
    try:
        handle, name = tempfile.mkstemp(prefix="bench-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(without_secrets("\n".join(_places(error)), environ) + "\n")
    except OSError:
        return None
    return Path(name)


def without_secrets(text: str, environ: Mapping[str, str]) -> str:
    """Strike out what the environment holds under a secret's name, and what looks like a key."""
    for name, value in environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _LEAST_SECRET:
            text = text.replace(value, _STRUCK)
    return _LOOKS_LIKE_KEY.sub(_STRUCK, text)


def _places(error: BaseException) -> Iterator[str]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield f"{type(current).__module__}.{type(current).__qualname__}"
        for frame in traceback.extract_tb(current.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} in {frame.name}"
        if isinstance(current, BaseExceptionGroup):
            for one in current.exceptions:
                yield from ("one of the group:", *_places(one))
        current = current.__cause__ or current.__context__
