"""Reads what a redacted copy keeps beside its masked bytes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from harness.errors import DamagedFileError
from harness.model.record import Attempt, Record, RequestKey, RunHeader
from harness.model.redaction import Redaction, read_redaction
from harness.model.storage import UNREADABLE

if TYPE_CHECKING:
    from harness.analysis.results.kept import Kept

KEPT = "kept.jsonl"
_Kept = Mapping[tuple[RequestKey, int], "Kept"]


def redaction_of(folder: Path, header: RunHeader) -> Redaction | None:
    """Say how a run was redacted; None where it was not."""
    return read_redaction(folder) if header.golden.get("redacted_from") else None


def read_kept(folder: Path, header: RunHeader) -> _Kept:
    """Read kept.jsonl by request and attempt; empty for a run that was not redacted, refused where a copy lost it."""
    from harness.analysis.results.kept import Kept  # noqa: PLC0415  # keeps --help light

    file = folder / KEPT
    if not file.exists() and redaction_of(folder, header) is not None:
        raise DamagedFileError("not there, and outcomes stand in it", where=str(file), remedy="Copy the whole folder")
    lines = file.read_bytes().split(b"\n") if file.exists() else []
    try:
        found = [msgspec.json.decode(line, type=Kept) for line in lines if line]
    except UNREADABLE as error:
        raise DamagedFileError(f"damaged: {error}", where=str(file)) from None
    return {(one.key, one.attempt): one for one in found}


def with_kept(record: Record, attempt: Attempt, kept: _Kept) -> Record:
    """Put what was kept of an attempt into its record."""
    found = kept.get((attempt.key, attempt.attempt))
    if found is None:
        return record
    return replace(found.record or record, findings=found.findings, failure=found.failure)
