"""record.json: what makes a run folder stand alone, for when the endpoint is gone."""

from pathlib import Path

import msgspec

from harness.errors import ConfigError, DamagedFileError
from harness.model.evidence import EVIDENCE, file_sha256
from harness.model.storage import UNREADABLE, write_atomically

RECORD = "record.json"
GOLDEN = "golden.yml"
PROBES = "probes"  # folder of probe folders
README = "README.md"
# Format history. 1: first version.
KEPT_VERSION = 1


class KeptRun(msgspec.Struct, frozen=True, kw_only=True):
    """What was recorded to be compared with later."""

    format_version: int = KEPT_VERSION
    run_id: str
    kept_at: str  # ISO 8601, UTC
    golden_sha256: str  # of the set, as compare checks it
    labels: tuple[str, ...] = ()
    note: str | None = None
    probes: tuple[str, ...] = ()  # probe folders below probes/
    files: dict[str, str]  # name -> SHA-256


def digests(folder: Path) -> dict[str, str]:
    """Digest what a later comparison stands on."""
    return {name: file_sha256(folder / name) for name in (*EVIDENCE, GOLDEN)}


def write_kept(folder: Path, kept: KeptRun) -> None:
    """Write record.json."""
    write_atomically(folder / RECORD, msgspec.json.format(msgspec.json.encode(kept), indent=1) + b"\n")


def read_kept(folder: Path) -> KeptRun | None:
    """Read it; None where the run was not kept so."""
    file = folder / RECORD
    if not file.exists():
        return None
    try:
        found = msgspec.json.decode(file.read_bytes(), type=KeptRun)
    except (OSError, *UNREADABLE) as error:
        raise DamagedFileError(f"damaged: {error}", where=str(file)) from None
    if found.format_version > KEPT_VERSION:
        raise ConfigError(f"format {found.format_version} is newer than this bench reads", where=str(file))
    return found


def refuse_changed(folder: Path) -> None:
    """Refuse a kept run whose evidence is not what was recorded; a run that was not kept so is taken as it is."""
    kept = read_kept(folder)
    if kept is None:
        return
    changed = [name for name, digest in kept.files.items() if name in EVIDENCE and _is_other(folder / name, digest)]
    if changed:
        raise DamagedFileError(
            f"{', '.join(changed)}: not what was recorded ({RECORD} has other digests)",
            where=str(folder),
            remedy=f"Take the folder from a copy; bench record {folder} makes new digests, if you know what changed",
        )


def _is_other(file: Path, digest: str) -> bool:
    return not file.exists() or file_sha256(file) != digest
