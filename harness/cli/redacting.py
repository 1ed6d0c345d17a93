"""Makes the redacted copy of a run folder: every file written anew, none copied."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING

import msgspec

from harness.cli.judging import counted_attempts, decode_one, recorded_case
from harness.cli.redactedcopy import KEPT
from harness.cli.sides import RecordedSide
from harness.decode.headers import is_header_kept
from harness.decode.maskedjson import Kept as KeptWords
from harness.decode.maskedwire import mask_wire
from harness.errors import ConfigError, IncompleteRunError
from harness.model.golden import Prompt
from harness.model.looks import VERDICT, Looked, read_looks
from harness.model.record import Arm, ArmHeader, Attempt, Reads, Record, RequestKey
from harness.model.redaction import (
    REDACTED,
    Digests,
    Redaction,
    Striker,
    redacted_run_id,
    refuse_redacted,
    tool_names_of,
)
from harness.model.storage import (
    ATTEMPTS,
    HEADER,
    LOOKS,
    STREAMS,
    UNREADABLE,
    StoredRun,
    encode_header,
    load_run,
    place,
    write_atomically,
)
from harness.model.twin import TwinLog, read_twin, write_twin

if TYPE_CHECKING:
    from harness.analysis.results.kept import Kept, KeptJudgement

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Masked:
    """One attempt of the copy: its line, its bytes, what is kept of it."""

    attempt: Attempt
    wire: bytes
    kept: "Kept | None" = None  # None: it was cut by our user and says nothing


def redact_run(folder: Path, copy: Path | None, *, hides_endpoints: bool) -> Path:
    """Write a copy without prompts and answers beside the run, or where it is wanted; give its folder."""
    run = load_run(folder)
    refuse_redacted(folder, run.header, "redacted once more")
    run_id = redacted_run_id(run.header, hides_endpoints=hides_endpoints)
    target = copy or folder.resolve().parent / run_id
    sides = {header.arm: RecordedSide(run=run, header=header) for header in run.header.arms}
    golden = next(iter(sides.values())).golden
    striker = Striker(
        digests=Digests(token_bytes(_KEY_BYTES)),
        tool_names=tool_names_of(golden),
        hides_endpoints=hides_endpoints,
    )
    judgements = _judgements(folder, striker)
    _make_folder(target)
    n_without_bytes = _write_journal(target, _masked_attempts(run, sides, judgements, striker))
    _write_beside(run, target, striker)
    redaction = Redaction(
        verdict=_verdict(folder / VERDICT),
        hides_endpoints=hides_endpoints,
        n_damaged=len(run.notes) - bool(run.is_being_written),  # that it is being written is a note, too
        n_without_bytes=n_without_bytes,
    )
    write_atomically(target / REDACTED, msgspec.json.format(msgspec.json.encode(redaction), indent=1) + b"\n")
    write_atomically(target / HEADER, encode_header(striker.header(run.header, run_id)))  # last: half a copy is no run
    return target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise ConfigError(
            f"the copy's folder cannot be made: {error.strerror}", where=str(folder), remedy="Choose another --output"
        ) from None


def _judgements(folder: Path, striker: Striker) -> Mapping[RequestKey, "KeptJudgement"]:
    """Give every trial's outcomes, of the placebo's and of all levels, too."""
    from harness.analysis.kept import kept_judgement  # noqa: PLC0415  # scipy loads below it
    from harness.analysis.trials import judge_side  # noqa: PLC0415

    case = recorded_case(folder)
    prompts, struck = _by_id(case.golden.prompts), _by_id(striker.golden(case.golden).prompts)
    return {
        item.trial.key: kept_judgement(
            item.trial, prompts[item.trial.key.prompt_id], struck[item.trial.key.prompt_id], striker
        )
        for side in (case.reference, case.candidate, case.placebo)
        if side is not None
        for item in judge_side(side, case.golden)
    }


def _by_id(prompts: list[Prompt]) -> dict[str, Prompt]:
    return {prompt.id: prompt for prompt in prompts}


def _masked_attempts(
    run: StoredRun,
    sides: Mapping[Arm, RecordedSide],
    judgements: Mapping[RequestKey, "KeptJudgement"],
    striker: Striker,
) -> Iterator[_Masked]:
    counted = {id(attempt): shifted for attempt, shifted in _on_one_line(run)}
    for attempt in run.attempts:
        yield _masked(run, attempt, counted.get(id(attempt)), sides[attempt.key.arm], judgements, striker)


def _on_one_line(run: StoredRun) -> Iterator[tuple[Attempt, Attempt]]:
    """Give each attempt that counts beside itself with the instants under which it is judged."""
    shifted = {(one.key, one.attempt, one.offset): one for one in counted_attempts(run)}
    for attempt in run.attempts:
        found = shifted.get((attempt.key, attempt.attempt, attempt.offset))
        if found is not None:
            yield attempt, found


def _masked(  # all that decides what stays
    run: StoredRun,
    attempt: Attempt,
    counted: Attempt | None,
    side: RecordedSide,
    judgements: Mapping[RequestKey, "KeptJudgement"],
    striker: Striker,
) -> _Masked:
    from harness.analysis.kept import decodes_alike, struck_record  # noqa: PLC0415
    from harness.analysis.results.kept import Kept  # noqa: PLC0415

    wire = run.wire(attempt)
    words = KeptWords(
        pseudonym=striker.digests.as_long_as,
        tool_names=striker.tool_names,
        has_models=not striker.hides_endpoints,
    )
    clean = mask_wire(wire, attempt.reads, words) if wire else b""
    line = _line(attempt, striker)
    if counted is None:
        return _Masked(attempt=line if clean is not None else replace(line, reads=Reads()), wire=clean or b"")
    record = struck_record(decode_one(counted, wire, side.endpoint), striker, line.headers)
    again = _decoded_again(counted, clean, side, striker)
    is_alike = again is not None and decodes_alike(again, record)
    kept = Kept(
        key=attempt.key,
        attempt=attempt.attempt,
        failure=record.failure,
        findings=record.findings,
        judgement=judgements.get(attempt.key) if attempt.attempt == 1 else None,
        record=None if is_alike else record,
    )
    if is_alike and clean is not None:
        return _Masked(attempt=line, wire=clean, kept=kept)
    return _Masked(attempt=replace(line, reads=Reads()), wire=b"", kept=kept)


def _decoded_again(counted: Attempt, clean: bytes | None, side: RecordedSide, striker: Striker) -> Record | None:
    """Decode what was masked as the copy's readers will."""
    if clean is None:
        return None
    read = replace(counted, connection=striker.connection(counted.connection))
    return decode_one(read, clean, side.endpoint)


def _line(attempt: Attempt, striker: Striker) -> Attempt:
    has_servers = not striker.hides_endpoints
    return replace(
        attempt,
        connection=striker.connection(attempt.connection),
        headers={
            name: value
            for name, value in attempt.headers.items()
            if is_header_kept(name, value, has_servers=has_servers)
        },
        failure=striker.failure(attempt.failure),
    )


def _write_journal(folder: Path, masked: Iterator[_Masked]) -> int:
    """Write bytes, lines and what is kept, in the run's order; give how many responses stay without their bytes."""
    at = n_without_bytes = 0
    try:
        with ExitStack() as files:
            streams, attempts, kept = (
                files.enter_context((folder / name).open("wb")) for name in (STREAMS, ATTEMPTS, KEPT)
            )
            for one in masked:
                streams.write(one.wire)
                attempts.write(msgspec.json.encode(place(one.attempt, one.wire, at)) + b"\n")
                at += len(one.wire)
                if one.kept is not None:
                    kept.write(msgspec.json.encode(one.kept) + b"\n")
                    n_without_bytes += one.kept.record is not None
    except OSError as error:
        raise IncompleteRunError(f"{folder}: cannot write the copy: {error.strerror}") from error
    return n_without_bytes


def _write_beside(run: StoredRun, folder: Path, striker: Striker) -> None:
    """Write the looks and the twin's log, whose notes may name addresses."""
    looks = [_look(look, run, striker) for look in read_looks(run.folder)]
    if looks:
        write_atomically(folder / LOOKS, b"".join(msgspec.json.encode(look) + b"\n" for look in looks))
    twin = read_twin(run.folder)
    if twin is not None:
        notes = () if striker.hides_endpoints else twin.notes
        write_twin(folder, TwinLog(streams=twin.streams, notes=notes))


def _look(look: Looked, run: StoredRun, striker: Striker) -> Looked:
    """Give a look under the endpoints' names in the copy, so that as many are counted."""
    if not striker.hides_endpoints:
        return look
    names = {_at(arm): _at(striker.arm(arm)) for arm in reversed(run.header.arms)}  # a placebo is the reference
    other = look.other and msgspec.structs.replace(look.other, run_id=striker.digests.of(look.other.run_id))
    endpoints = sorted(names.get(name, striker.digests.of(name)) for name in look.endpoints)
    return msgspec.structs.replace(look, other=other, endpoints=tuple(endpoints))


def _at(arm: ArmHeader) -> str:
    return f"{arm.endpoint.get('model')} at {arm.endpoint.get('base_url')}"


def _verdict(file: Path) -> str | None:
    """Read the word of verdict.json; None where the run was not judged under its plan, or has no two sides."""
    try:
        found = msgspec.json.decode(file.read_bytes(), type=dict)
    except (OSError, *UNREADABLE):
        return None
    verdict = found.get("verdict")
    return verdict if verdict in {"PASS", "FAIL", "INCONCLUSIVE", "INVALID"} else None
