"""The baselines of a ledger: which run others are held against, set by hand and never moved by a run."""

from pathlib import Path

import msgspec

from harness.errors import ConfigError, DamagedFileError
from harness.model.ledger import Ledger, LedgerEntry, entry_sha256, make_ledger_folder
from harness.model.storage import UNREADABLE, write_atomically

BASELINE = "baseline.json"
# Format history. 1: first version.
BASELINE_VERSION = 1


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the measure of all that are comparable with it."""

    run_id: str
    comparable: str
    entry_sha256: str  # of its line, so that a changed line is noticed
    set_at: str  # ISO 8601, UTC
    set_by: str
    reason: str
    replaces: str | None = None  # run that was the baseline before


class Baselines(msgspec.Struct, frozen=True, kw_only=True):
    """The file: one baseline for each series."""

    format_version: int = BASELINE_VERSION
    baselines: tuple[Baseline, ...] = ()

    def of(self, comparable: str) -> Baseline | None:
        """Give the baseline of a series; None where nobody has set one."""
        return next((one for one in self.baselines if one.comparable == comparable), None)


def baseline_file(ledger: Path) -> Path:
    """Say where the baselines of a ledger are: beside it."""
    return ledger.with_name(BASELINE)


def read_baselines(ledger: Path) -> Baselines:
    """Read them; none where there is no file."""
    file = baseline_file(ledger)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return Baselines()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file)) from None
    try:
        found = msgspec.json.decode(content, type=Baselines)
    except UNREADABLE as error:
        raise DamagedFileError(
            f"damaged: {error}", where=str(file), remedy="bench baseline set makes it anew"
        ) from None
    if found.format_version > BASELINE_VERSION:
        raise ConfigError(
            f"format {found.format_version} is newer than this bench reads", where=str(file), remedy="Upgrade"
        )
    return found


def baseline_of(ledger: Ledger, comparable: str) -> tuple[Baseline, LedgerEntry] | None:
    """Give a series' baseline with its entry; None where none is set, DamagedFileError where its line has changed."""
    found = read_baselines(ledger.file).of(comparable)
    if found is None:
        return None
    entry = next((entry for entry in ledger.entries if entry.run_id == found.run_id), None)
    where = str(baseline_file(ledger.file))
    if entry is None:
        raise DamagedFileError(
            f"the ledger has no run {found.run_id}", where=where, remedy="bench history rebuild, or set another"
        )
    if entry_sha256(entry) != found.entry_sha256:
        raise DamagedFileError(
            f"the ledger's line of run {found.run_id} is not the one that was set",
            where=where,
            remedy="Look at what changed, then set it again: bench baseline set",
        )
    return found, entry


def new_baseline(ledger: Ledger, run_id: str, *, at: str, by: str, reason: str) -> Baseline:
    """Make a run the baseline of its series; ConfigError for one that says nothing."""
    entry = ledger.find(run_id)
    if not entry.is_valid:
        raise ConfigError(
            f"run {entry.run_id} is not valid: {'; '.join(entry.reasons)}",
            where=str(ledger.file),
            remedy="Set a run that says something",
        )
    if not reason.strip():
        raise ConfigError("a baseline needs a reason", where="--reason", remedy="Say why it is this run")
    earlier = read_baselines(ledger.file).of(entry.comparable)
    return Baseline(
        run_id=entry.run_id,
        comparable=entry.comparable,
        entry_sha256=entry_sha256(entry),
        set_at=at,
        set_by=by,
        reason=reason.strip(),
        replaces=earlier.run_id if earlier and earlier.run_id != entry.run_id else None,
    )


def write_baseline(ledger: Path, baseline: Baseline) -> None:
    """Put it in the place of the one that its series had; the other series keep theirs."""
    make_ledger_folder(ledger)
    others = [one for one in read_baselines(ledger).baselines if one.comparable != baseline.comparable]
    content = Baselines(baselines=tuple(sorted([*others, baseline], key=lambda one: (one.set_at, one.run_id))))
    write_atomically(baseline_file(ledger), msgspec.json.format(msgspec.json.encode(content), indent=1) + b"\n")
