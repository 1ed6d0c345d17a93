"""`bench show`: the requests of a run, or one of them in full."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.errors import ConfigError
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.cli.recorded import RecordedRequest, RecordedRun
    from harness.report.shownrequest import ShownRequest

_SLOWEST = 20


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("prompt", required=False)
@click.option("--side", type=click.Choice([str(arm) for arm in Arm]), help="Which side; the candidate's by default.")
@click.option("--repeat", type=click.IntRange(0), metavar="N", help="Which repeat of the prompt, from 0.")
@click.option("--attempt", type=click.IntRange(1), metavar="N", help="Which attempt: 2 is the first retry.")
@click.option("--failed", is_flag=True, help="List only requests that failed, or that failed a check.")
@click.option("--slow", is_flag=True, help=f"List the {_SLOWEST} slowest by E2E latency, slowest first.")
@click.option("--raw", is_flag=True, help="Write the response's bytes as they were recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print it as one line of JSON.")
def show(run: Path, prompt: str | None, **given: Any) -> None:
    """List the requests of a recorded RUN, or show one of a PROMPT in full.

    In full: the request as it was sent, the response's head, the connection, every socket read with what it carried,
    the answer, usage, metrics, checks and findings. PROMPT is a prompt's id, or a request's name from the list.

    \b
    Example:
        bench show results/<run> --failed
        bench show results/<run> capital --side reference --repeat 2
    """
    from harness.cli.recorded import recorded_run  # noqa: PLC0415  # keeps --help light

    side = Arm(given["side"]) if given["side"] else None
    if prompt is None:
        _refuse_options_of_one(given)
        nothing = "no request failed or failed a check" if given["failed"] else "no request is recorded"
        _list(_chosen_rows(recorded_run(run, side), given), nothing, as_json=given["as_json"])
        return
    _refuse_options_of_a_list(given)
    request = _chosen(recorded_run(run), prompt, side, given)
    if given["raw"]:
        sys.stdout.flush()
        sys.stdout.buffer.write(request.wire)
        return
    _show(request, as_json=given["as_json"])


def _refuse_options_of_one(given: dict[str, Any]) -> None:
    is_given = {"repeat": given["repeat"] is not None, "attempt": given["attempt"] is not None, "raw": given["raw"]}
    idle = [f"--{name}" for name, is_so in is_given.items() if is_so]
    if idle:
        raise ConfigError(f"{', '.join(idle)} is of one request", remedy="Name a prompt: bench show RUN PROMPT")


def _refuse_options_of_a_list(given: dict[str, Any]) -> None:
    idle = [f"--{name}" for name in ("failed", "slow") if given[name]]
    if idle:
        raise ConfigError(f"{', '.join(idle)} is of a list of requests", remedy="Leave the prompt out")
    if given["raw"] and given["as_json"]:
        raise ConfigError("--raw and --json exclude each other", remedy="Give one of them")


def _show(request: "RecordedRequest", *, as_json: bool) -> None:
    from harness.report.requesttext import request_lines  # noqa: PLC0415

    shown = in_full(request)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(shown)))
        return
    for line in request_lines(shown):
        click.echo(line)


def in_full(request: "RecordedRequest") -> "ShownRequest":
    """Gather everything that the folder has of a request."""
    from harness.cli.recomposed import recomposed  # noqa: PLC0415
    from harness.report.shownrequest import RequestEvidence, ShownSent, shown_request  # noqa: PLC0415

    sent = recomposed(request)
    return shown_request(
        RequestEvidence(
            run_id=request.side.run.header.run_id,
            endpoint=request.side.endpoint.name,
            attempt=request.attempt,
            record=request.record,
            trial=request.trial,
            wire=request.wire,
            sent=ShownSent(
                method=sent.method,
                url=sent.url,
                headers=sent.headers,
                body=sent.body,
                is_as_sent=sent.is_as_sent,
                note=sent.note,
            ),
        )
    )


def _chosen(run: "RecordedRun", prompt: str, side: Arm | None, given: dict[str, Any]) -> "RecordedRequest":
    """Find the request; ConfigError that says what there is instead."""
    named = [one for one in run.requests if one.key.id == prompt]
    if named and side not in (None, named[0].key.arm):
        raise ConfigError(f"{prompt} is not of the {side} side", remedy="Leave --side out: the name says it")
    found = named or _of_prompt(run, prompt, side, given["repeat"])
    attempt = given["attempt"] or 1
    chosen = [one for one in found if one.attempt.attempt == attempt]
    if not chosen:
        numbers = ", ".join(sorted({str(one.attempt.attempt) for one in found}))
        raise ConfigError(f"there is no attempt {attempt} of {found[0].key.id}", remedy=f"Recorded: attempt {numbers}")
    return chosen[0]


def _of_prompt(run: "RecordedRun", prompt: str, side: Arm | None, repeat: int | None) -> "Sequence[RecordedRequest]":
    from harness.cli.recorded import known_prompt  # noqa: PLC0415

    known_prompt(run, prompt)
    arm = side or (Arm.CANDIDATE if Arm.CANDIDATE in run.arms else run.arms[0])
    if arm not in run.arms:
        raise ConfigError(f"the run has no {arm} side", remedy=f"It has: {', '.join(run.arms)}")
    own = [one for one in run.requests if one.key.prompt_id == prompt and one.key.arm is arm]
    measured = [one for one in own if not (one.key.is_warmup or one.key.is_follow_up or one.key.level)]
    wanted = 0 if repeat is None and measured else repeat
    found = [one for one in measured if one.key.repeat == wanted] if wanted is not None else own
    if not found:
        last = max((one.key.repeat for one in measured), default=None)
        recorded = f"Recorded: repeats 0 to {last}" if last is not None else "bench show RUN lists what there is"
        raise ConfigError(f"the {arm} side has no repeat {wanted or 0} of {prompt!r}", remedy=recorded)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRequest:
    """A request as a row of the list."""

    request: str
    attempt: int
    outcome: str  # the kind of failure, or the HTTP status
    ttft_s: float | None
    e2e_s: float | None
    completion_tokens: int | None
    checks: str  # passed of judged
    finish_reason: str | None
    marks: tuple[str, ...]


def _chosen_rows(run: "RecordedRun", given: dict[str, Any]) -> list[ListedRequest]:
    requests = [one for one in run.requests if not given["failed"] or _went_wrong(one)]
    rows = [_row(request) for request in requests]
    if given["slow"]:
        timed = [row for row in rows if row.e2e_s is not None]
        return sorted(timed, key=lambda row: -(row.e2e_s or 0.0))[:_SLOWEST]
    return rows


def _went_wrong(request: "RecordedRequest") -> bool:
    trial = request.trial
    is_wrong = trial is not None and (trial.task_success is False or (trial.tool is not None and not _is_top(trial)))
    return request.record.failure is not None or is_wrong


def _is_top(trial: Any) -> bool:
    from harness.analysis.results.trial import Rung  # noqa: PLC0415

    return trial.tool.rung in (Rung.OK, Rung.NOT_RUN)


def _row(request: "RecordedRequest") -> ListedRequest:
    from harness.analysis.latencies import end_to_end, time_to_first_token  # noqa: PLC0415
    from harness.report.shownrequest import marks_of  # noqa: PLC0415

    record, trial = request.record, request.trial
    checks = trial.checks if trial else ()
    return ListedRequest(
        request=record.key.id,
        attempt=record.attempt,
        outcome=record.failure.kind.value if record.failure else str(record.status),
        ttft_s=time_to_first_token(record).value,
        e2e_s=end_to_end(record).value,
        completion_tokens=record.usage.completion_tokens if record.usage else None,
        checks=f"{sum(check.passed for check in checks)}/{len(checks)}" if checks else "",
        finish_reason=record.answer.finish_reason,
        marks=marks_of(record),
    )


def _list(rows: Sequence[ListedRequest], nothing: str, *, as_json: bool) -> None:
    from harness.cli.texttable import grid  # noqa: PLC0415
    from harness.report.untrusted import one_line  # noqa: PLC0415

    if as_json:
        click.echo(json.dumps({"requests": msgspec.to_builtins(list(rows))}))
        return
    if not rows:
        click.echo(nothing)
        return
    heads = ("request", "outcome", "TTFT", "E2E", "tokens", "checks", "finish", "")
    cells = [tuple(one_line(cell, 60) for cell in _cells(row)) for row in rows]
    for line in grid(heads, cells):
        click.echo(line)
    click.echo(f"{len(rows)} requests; bench show RUN REQUEST shows one in full")


def _cells(row: ListedRequest) -> Iterator[str]:
    from harness.report.format import DASH, duration  # noqa: PLC0415

    yield row.request
    yield row.outcome
    yield DASH if row.ttft_s is None else duration(row.ttft_s)
    yield DASH if row.e2e_s is None else duration(row.e2e_s)
    yield DASH if row.completion_tokens is None else str(row.completion_tokens)
    yield row.checks
    yield row.finish_reason or DASH
    yield ", ".join(row.marks)
