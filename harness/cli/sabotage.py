"""`bench sabotage`: which known damage a recorded run would have caught."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.completing import complete_run
from harness.errors import ConfigError

if TYPE_CHECKING:
    from harness.analysis.results.case import Case
    from harness.analysis.sabotage import DamageResult

_DRAWS = 40
_RESAMPLED = (
    "The undamaged candidate of each draw is the reference's own repeats, drawn again within each prompt, as is the "
    "other side. This resamples the reference against itself: it knows no other variation, such as another "
    "day, another machine or answers that the reference did not happen to give."
)
_SHARE = (
    "A share is one of the answers that a damage can strike: calls only where the reference called a tool. The checks, "
    "the tool ladder and the metrics judge the damaged records anew."
)
_VOID = (
    "VOID for timing. {why} No gate of time can be judged, so no draw can PASS and what only changes times is not "
    "caught: this says nothing of the set's power. What is caught here is caught by the other gates."
)
_LIMITS = (
    _RESAMPLED,
    _SHARE,
    "answers differ: the identity test finds a shift, which is no verdict; empty where it cannot be measured.",
    "Longer answers keep their text, so the checks see the same answer; only tokens, times and cost change.",
    "Other sampling (temperature, top_p) cannot be replayed from records: it needs a live candidate.",
)


@click.command()
@click.argument("run", type=click.Path(path_type=Path), shell_complete=complete_run)
@click.option("--draws", type=click.IntRange(2, 10_000), default=_DRAWS, show_default=True, help="Draws per damage.")
@click.option("--seed", type=click.IntRange(0), help="Seed of every draw; the run's own by default.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def sabotage(run: Path, draws: int, seed: int | None, *, as_json: bool) -> int:
    """Say which known damage the RUN would have caught, and with what chance.

    The reference's own records are damaged on purpose (tool calls left out, arguments renamed, slower tokens, ...) and
    judged against the reference as a candidate's. Nothing is sent.

    \b
    Example:
        bench sabotage results/20260101T120000-a-vs-b
    """
    from harness.analysis import sabotage as ladder  # noqa: PLC0415  # keeps --help light: pandas and scipy load here
    from harness.cli.judging import recorded_case  # noqa: PLC0415
    from harness.model.redaction import refuse_redacted  # noqa: PLC0415
    from harness.model.storage import load_header  # noqa: PLC0415

    refuse_redacted(run, load_header(run), "damaged")
    case = recorded_case(run)
    if not any(not record.key.is_warmup and record.failure is None for record in case.reference.records):
        raise ConfigError("the run holds no answer to damage", where=str(run), remedy="Give a run that went further")
    chosen = case.settings.plan.seed if seed is None else seed
    notes = (*ladder.reference_notes(case), ladder.look_note(case))
    found = ladder.sabotage(case, draws=draws, seed=chosen)
    void_timing = ladder.why_void(case)
    if as_json:
        told = _as_json(case, found, notes, chosen) | {"void_timing": void_timing}
        click.echo(json.dumps(told, allow_nan=False))
    else:
        for line in _lines(case, found, notes, void_timing):
            click.echo(line)
    return 0


def _as_json(case: "Case", found: Sequence["DamageResult"], notes: Sequence[str], seed: int) -> dict[str, Any]:
    return {
        "run_id": case.reference.run_id,
        "reference": case.reference.name,
        "seed": seed,
        "damages": [_damage_json(result) for result in found],
        "notes": [*notes, *_LIMITS],
    }


def _damage_json(result: "DamageResult") -> dict[str, Any]:
    return {
        "id": result.id,
        "title": result.title,
        "n_strikable": result.n_struck,
        "n_requests": result.n_requests,
        "draws": result.draws,
        "verdicts": dict(result.verdicts),
        "power": {"low": result.power.low, "high": result.power.high, "level": result.power.level}
        if result.is_judged
        else None,
        "answers_differ": result.n_shifted,
        "is_caught": result.is_caught,
        "gates": {
            gate.gate: {"fail": gate.n_fail, "pass": gate.n_pass, "is_required": gate.is_required}
            for gate in result.gates
        },
    }


def _lines(
    case: "Case", found: Sequence["DamageResult"], notes: Sequence[str], void_timing: str | None
) -> Iterator[str]:
    from harness.cli.screen import columns  # noqa: PLC0415
    from harness.cli.texttable import grid, paragraph  # noqa: PLC0415

    undamaged, *damaged = found
    told = f"{case.reference.name} against itself: {undamaged.n_requests} requests, {undamaged.draws} draws per damage"
    yield from paragraph(told)
    if void_timing is not None:
        yield from paragraph(_VOID.format(why=void_timing))
    yield ""
    heads = ("damage", "can strike", "FAIL", "95 % interval", "not settled", "PASS", "answers differ", "by which gate")
    yield from grid(heads, [_row(result) for result in found], columns())
    yield ""
    yield from paragraph(_summary(undamaged, damaged))
    yield ""
    for note in (*notes, *_LIMITS):
        yield from paragraph(note, first="- ", rest="  ")


def _row(result: "DamageResult") -> tuple[str, ...]:
    if not result.is_judged:
        return (result.title, "0", "", "", "", "", "", "the reference gave nothing that it could strike")
    strikes = "" if result.n_struck is None else f"{result.n_struck}"
    low, high = 100 * (result.power.low or 0.0), 100 * (result.power.high or 0.0)
    return (
        result.title,
        strikes,
        _percent(result.n_fail, result.draws),
        f"{low:.0f} to {high:.0f} %",
        _percent(result.draws - result.n_fail - result.n_pass, result.draws),
        _percent(result.n_pass, result.draws),
        "" if result.n_shifted is None else _percent(result.n_shifted, result.draws),
        _gates(result),
    )


def _gates(result: "DamageResult") -> str:
    """Name the gates that find it, the surest first; those that do not decide stand in brackets."""
    ranked = sorted(result.gates, key=lambda gate: -gate.n_fail)
    named = [
        f"{gate.title} {_percent(gate.n_fail, result.draws)}" if gate.is_required else f"({gate.title})"
        for gate in ranked
        if gate.n_fail > 0.05 * result.draws  # a gate errs that often by itself
    ]
    return ", ".join(named[:4])


def _summary(undamaged: "DamageResult", damaged: Sequence["DamageResult"]) -> str:
    caught = [result.title for result in damaged if result.is_caught]
    missed = [
        f"{result.title} ({_percent(result.n_fail, result.draws)} FAIL, {_percent(result.n_pass, result.draws)} PASS)"
        for result in damaged
        if result.is_judged and not result.is_caught
    ]
    high = 100 * (undamaged.power.high or 0.0)
    alarm = f"False alarms: {undamaged.n_fail} of {undamaged.draws} draws without damage FAIL (at most {high:.0f} %)."
    sure = f"Caught in at least 80 % of draws: {'; '.join(caught) or 'none'}."
    lost = f"Would not have been caught reliably: {'; '.join(missed) or 'none of these'}."
    return f"{alarm}{_open(undamaged)} {sure} {lost}"


def _open(undamaged: "DamageResult") -> str:
    """Say which gates keep even the undamaged from a PASS."""
    from harness.analysis.words import listed  # noqa: PLC0415

    often = [
        f"{gate.title} {_percent(gate.n_pass, undamaged.draws)}"
        for gate in undamaged.gates
        if gate.is_required and gate.n_pass < undamaged.draws and not gate.is_void
    ]
    void = ["the gates of time, which are VOID"] if any(gate.is_void for gate in undamaged.gates) else []
    if undamaged.n_pass == undamaged.draws:
        return ""
    passed = _percent(undamaged.n_pass, undamaged.draws)
    which = f"; not always: {listed([*void, *often])}" if void or often else ""
    return f" Without damage {passed} of draws PASS{which}."


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %"
