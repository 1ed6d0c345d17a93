"""The ledger: a line of JSON for each measured run, and one for each remark on a run; it is only ever appended to.

Lines have sorted keys and stand alone, so two clones that both appended merge with git's `merge=union`: a reader drops
lines that are there twice and sorts by the instant at which a run started.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from harness.errors import ConfigError, DamagedFileError, IncompleteRunError
from harness.model.record import Arm
from harness.model.storage import UNREADABLE, write_atomically

# Format history of a line. 1: first version.
LEDGER_VERSION = 1
LEDGER = Path("history/ledger.jsonl")
ATTRIBUTES = ".gitattributes"
_SHORT = 12  # characters of a digest


class LedgerFigure(msgspec.Struct, frozen=True, kw_only=True):
    """A headline figure with its two-sided 95 % interval, or the reason why there is no number."""

    value: float | None
    low: float | None = None  # None: unbounded, or not estimable
    high: float | None = None
    n: int = 0
    reason: str | None = None


class LedgerPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt on one side: what blame by prompt needs."""

    prompt_id: str
    n: int
    n_failed: int
    n_passed: int | None  # passed every check; None: it has none
    n_tool: int = 0  # of n: requests whose tool call is judged
    n_tool_right: int = 0
    n_json: int = 0  # of n: requests that ask for JSON
    n_json_valid: int = 0
    ttft_p50_s: float | None
    decode_p50: float | None


class LedgerSide(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint of a run, with its figures by id: ttft_p50, decode_p50, request_success, ..."""

    arm: Arm
    name: str
    model: str
    address: str  # without credentials and values of a query
    run_id: str
    started_at: str  # of its own run, which may be an earlier one
    n: int  # judged requests
    labels: dict[str, str] = {}
    figures: dict[str, LedgerFigure] = {}
    prompts: tuple[LedgerPrompt, ...] = ()


class LedgerGate(msgspec.Struct, frozen=True, kw_only=True):
    """One gate of a comparison."""

    id: str
    outcome: str
    is_required: bool
    effect: float | None
    low: float | None
    high: float | None
    margin: float


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="run"):
    """A run: a line of the ledger."""

    format_version: int = LEDGER_VERSION
    run_id: str  # `<candidate's run>-against-<reference's run>` where the sides come from two
    n_requests: int  # that could be judged: the state of its data, which grows where a run goes on
    started_at: str  # ISO 8601, UTC
    kind: str  # run, compare
    golden_name: str
    golden_version: str
    golden_sha256: str
    plan_sha256: str | None
    comparable: str  # digest of `parts`: figures of entries with the same one may stand in one series
    parts: dict[str, str]
    definitions: str  # version of the statistical definitions
    bench: str  # version that measured
    vantage: dict[str, str] = {}  # from where: host, system, cpu, time_zone, label
    sides: tuple[LedgerSide, ...]
    is_valid: bool  # False: INVALID, or it did not finish
    timing: str  # word of the timing certificate: VALID, VOID, UNKNOWN
    reasons: tuple[str, ...] = ()  # why it is not valid, or its timings are not
    look: int = 1
    verdict: str | None = None
    gates: tuple[LedgerGate, ...] = ()
    summary_sha256: str  # of verdict.json as it was written

    def side(self, arm: Arm) -> LedgerSide | None:
        """Give one side; None where the run has no such."""
        return next((side for side in self.sides if side.arm is arm), None)


class Remark(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="remark", omit_defaults=True):
    """What somebody said of a run afterwards: a note, or a label put on or taken off."""

    at: str  # ISO 8601, UTC
    run_id: str
    note: str | None = None
    label: str | None = None
    is_taken_off: bool = False


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger as read: one entry a run, in the order of their starts."""

    file: Path
    entries: tuple[LedgerEntry, ...] = ()
    remarks: tuple[Remark, ...] = ()
    problems: tuple[str, ...] = ()  # lines that a dying process tore

    def find(self, run_id: str) -> LedgerEntry:
        """Give the entry of a run, named in full or by how it begins; ConfigError where none or several fit."""
        found = [entry for entry in self.entries if entry.run_id == run_id]
        found = found or [entry for entry in self.entries if entry.run_id.startswith(run_id)]
        if len(found) == 1:
            return found[0]
        problem = f"no run {run_id!r}" if not found else f"{run_id!r} begins {len(found)} runs"
        raise ConfigError(problem, where=str(self.file), remedy="bench history list shows them")

    def labels_of(self, run_id: str) -> tuple[str, ...]:
        """Give the labels that a run has now."""
        labels: dict[str, None] = {}
        for remark in self.remarks:
            if remark.run_id == run_id and remark.label is not None:
                labels.pop(remark.label, None)
                if not remark.is_taken_off:
                    labels[remark.label] = None
        return tuple(labels)

    def notes_of(self, run_id: str) -> tuple[str, ...]:
        """Give the notes on a run, the oldest first."""
        return tuple(remark.note for remark in self.remarks if remark.run_id == run_id and remark.note is not None)


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A part in which entries are not alike: each value with the number of runs that have it."""

    part: str
    values: tuple[tuple[str, int], ...]

    def __str__(self) -> str:
        """Say it in a line."""
        told = ", ".join(f"{value or 'none'} ({count} run{'s' * (count > 1)})" for value, count in self.values)
        return f"{self.part}: {told}"


def comparable_digest(parts: Mapping[str, str]) -> str:
    """Digest what must be alike for two runs' figures to stand in one series."""
    return hashlib.sha256(msgspec.json.encode(dict(parts), order="sorted")).hexdigest()[: 2 * _SHORT]


def differences(entries: Sequence[LedgerEntry]) -> tuple[Difference, ...]:
    """Name the parts in which entries differ; empty where all may stand in one series."""
    names = sorted({name for entry in entries for name in entry.parts})
    found = []
    for name in names:
        counts: dict[str, int] = {}
        for entry in entries:
            value = entry.parts.get(name, "")
            counts[value] = counts.get(value, 0) + 1
        if len(counts) > 1:
            found.append(Difference(part=name, values=tuple(counts.items())))
    return tuple(found)


def encode_line(line: LedgerEntry | Remark) -> bytes:
    """Give a line, without its end: the same entry has the same bytes."""
    return msgspec.json.encode(line, order="sorted")


def entry_sha256(entry: LedgerEntry) -> str:
    """Digest an entry, so that a baseline notices when its line was changed."""
    return hashlib.sha256(encode_line(entry)).hexdigest()


def read_ledger(file: Path) -> Ledger:
    """Read a ledger; ConfigError where there is none, DamagedFileError where lines cannot be or contradict."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"no ledger: {error.strerror}", where=str(file), remedy="bench run --ledger FILE begins one"
        ) from None
    return _ledger_of(file, content)


def _ledger_of(file: Path, content: bytes) -> Ledger:
    seen: set[bytes] = set()
    entries: dict[tuple[str, int], tuple[int, LedgerEntry]] = {}
    remarks: list[Remark] = []
    problems: list[str] = []
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip() or line in seen:
            continue
        seen.add(line)
        read = _read_line(file, number, line)
        if isinstance(read, str):
            problems.append(read)
        elif isinstance(read, Remark):
            remarks.append(read)
        else:
            _put(file, entries, number, read)
    return Ledger(
        file=file,
        entries=_newest_states(entries),
        remarks=tuple(sorted(remarks, key=lambda remark: (remark.at, remark.run_id, remark.note or ""))),
        problems=tuple(problems),
    )


def _put(file: Path, entries: dict[tuple[str, int], tuple[int, LedgerEntry]], number: int, entry: LedgerEntry) -> None:
    key = (entry.run_id, entry.n_requests)
    earlier, other = entries.setdefault(key, (number, entry))
    if other != entry:
        raise DamagedFileError(
            f"lines {earlier} and {number} say different things of run {entry.run_id}",
            where=str(file),
            remedy="Keep the one that is right, or make both again: bench history rebuild --replace",
        )


def _newest_states(entries: Mapping[tuple[str, int], tuple[int, LedgerEntry]]) -> tuple[LedgerEntry, ...]:
    """Keep of each run the entry with the most data: a run that went on has one for each state."""
    newest: dict[str, LedgerEntry] = {}
    for _, entry in entries.values():
        held = newest.setdefault(entry.run_id, entry)
        if entry.n_requests > held.n_requests:
            newest[entry.run_id] = entry
    return tuple(sorted(newest.values(), key=lambda entry: (entry.started_at, entry.run_id)))


class _Version(msgspec.Struct, frozen=True):
    format_version: int = LEDGER_VERSION


def _read_line(file: Path, number: int, line: bytes) -> LedgerEntry | Remark | str:
    """Read a line, or say that it is torn; what is no line of a ledger at all is refused."""
    where = f"{file}:{number}"
    try:
        version = msgspec.json.decode(line, type=_Version).format_version
        if version > LEDGER_VERSION:
            raise ConfigError(
                f"format {version} is newer than this bench reads ({LEDGER_VERSION})",
                where=where,
                remedy="Upgrade bench-harness",
            )
        return msgspec.json.decode(line, type=LedgerEntry | Remark)
    except UNREADABLE as error:
        if _is_torn(line, error):
            return f"line {number} is torn off; it is left out"
        is_conflict = line[:7] in {b"<<<<<<<", b"=======", b">>>>>>>"}
        remedy = f"It is a merge's mark: keep both sides; {ATTRIBUTES} with merge=union does" if is_conflict else None
        raise DamagedFileError(f"no line of a ledger: {error}", where=where, remedy=remedy) from None


def _is_torn(line: bytes, error: Exception) -> bool:
    """Whether a line begins as one of ours and ends too soon, which may be after the brace of something inside it."""
    return line.startswith(b"{") and (not line.rstrip().endswith(b"}") or "truncated" in str(error))


def read_lines(file: Path) -> Iterator[LedgerEntry | Remark]:
    """Give a ledger's lines as they stand, each once; those that are torn are left out."""
    for line in dict.fromkeys(file.read_bytes().split(b"\n")):
        read = _read_line(file, 0, line) if line.strip() else ""
        if not isinstance(read, str):
            yield read


def append_line(file: Path, line: LedgerEntry | Remark) -> bool:
    """Append a line in one write, under a lock; False where it is there already.

    DamagedFileError where the ledger says something else of this state of the run: it is not changed then.
    """
    make_ledger_folder(file)
    with locked(file):
        content = file.read_bytes() if file.exists() else b""
        encoded = encode_line(line)
        if encoded in content.split(b"\n"):
            return False
        _ledger_of(file, content + b"\n" + encoded)  # refuses a contradiction
        missing_end = b"" if content.endswith(b"\n") or not content else b"\n"
        _append(file, missing_end + encoded + b"\n")
    return True


def write_ledger(file: Path, lines: Sequence[LedgerEntry | Remark]) -> None:
    """Replace a whole ledger in one step; the caller holds its lock."""
    write_atomically(file, b"".join(encode_line(line) + b"\n" for line in lines))


def make_ledger_folder(file: Path) -> None:
    """Make the folder of a ledger, with the attribute by which git merges appended lines; ConfigError if impossible."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        attributes = file.parent / ATTRIBUTES
        if not file.exists() and not attributes.exists():
            attributes.write_text(f"{file.name} merge=union\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"no ledger can be written: {error.strerror}", where=str(file), remedy="Choose another"
        ) from None


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep other writers of the ledger out; the lock is on its folder, since a replaced file loses its own."""
    try:
        import fcntl  # noqa: PLC0415  # Windows has none: the module must be importable there
    except ImportError:
        yield
        return
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _append(file: Path, content: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error
