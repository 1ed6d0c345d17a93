"""Digests of what a run folder holds: by them a reader knows that it is the same evidence."""

import hashlib
from pathlib import Path

from harness.errors import ConfigError
from harness.model.storage import ATTEMPTS, HEADER, STREAMS

EVIDENCE = (HEADER, ATTEMPTS, STREAMS)  # all else is derived from these, or says who looked at them
_CHUNK = 1 << 20


def file_sha256(file: Path) -> str:
    """Digest a file, a piece at a time; ConfigError where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with file.open("rb") as content:
            while piece := content.read(_CHUNK):
                digest.update(piece)
    except OSError as error:
        raise ConfigError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="Give a whole run folder"
        ) from None
    return digest.hexdigest()


def evidence_sha256(folder: Path) -> str:
    """Digest of header, journal and flight recorder: of lines as `sha256sum` writes them."""
    lines = "".join(f"{file_sha256(folder / name)}  {name}\n" for name in EVIDENCE)
    return hashlib.sha256(lines.encode()).hexdigest()
