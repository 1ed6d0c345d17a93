"""How one of our own modules runs in an interpreter of its own."""

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def module_words(module: str) -> tuple[str, ...]:
    """The command; -P keeps what lies in the working directory from standing in for a package."""
    return (sys.executable, "-P", "-m", module)


def module_environment() -> dict[str, str]:
    """Our own, keys included, with our own package importable wherever it was imported from."""
    paths = [str(_PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
