"""`bench lens`: what other tools would have reported of a recorded run."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.cli.sides import recorded_side
from harness.cli.texttable import grid, paragraph
from harness.errors import ConfigError
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.analysis.results.instrument import Certificate
    from harness.analysis.results.lens import Family, LensFigure, LensSide, ToolReport
    from harness.cli.recorded import RecordedRequest, RecordedRun

_NEAREST = "≈"
_NEAREST_WORDS = (
    f"{_NEAREST} is the nearest without the tool's own tokenizer: tokens as the server counted them, and a chunk as "
    "one arrival where the tool would make several of it."
)
_CLOCKS = (
    "The tools' clocks start when a request gets its slot, before a connection is opened; bench's when its last byte "
    "is sent."
)
_RATE_NAMES = {"output_tokens_per_s": "output rate", "requests_per_s": "request rate"}
_RATE_UNITS = {"output_tokens_per_s": "tok/s", "requests_per_s": "requests/s"}


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--side", type=click.Choice([str(arm) for arm in Arm]), help="Only this side; all by default.")
@click.option("--level", type=click.IntRange(0), default=0, metavar="N", help="Which level of load, from 0.")
@click.option("--json", "as_json", is_flag=True, help="Print it as one line of JSON.")
def lens(run: Path, side: str | None, level: int, *, as_json: bool) -> None:
    """Say what other load generators would have reported of a RUN.

    From the same recorded bytes, each by its own definitions: vLLM bench serve, SGLang bench_serving, guidellm, AIPerf
    (genai-perf's successor), inference-perf and LLMPerf, beside bench's own figures, and why they differ.

    \b
    Example:
        bench lens results/<run>
        bench lens results/<run> --side candidate --json
    """
    from harness.cli.recorded import recorded_run  # noqa: PLC0415  # keeps --help light

    recorded = recorded_run(run, Arm(side) if side else None)
    _known_level(recorded, level)
    timing = _timing(run, level)
    sides = [_side(recorded, arm, level) for arm in recorded.judged]
    if as_json:
        click.echo(json.dumps({"run": recorded.run.header.run_id, "level": level, **_as_json(timing, sides)}))
        return
    for line in _timing_lines(timing):
        click.echo(line)
    for line in (line for one in sides for line in _lines(one)):
        click.echo(line)
    click.echo("Formulas with their sources: docs/lens.md")


def _as_json(timing: "Certificate", sides: "Sequence[LensSide]") -> dict[str, Any]:
    worth = {"timing": timing.verdict.value, "timing_reasons": timing.reasons}
    return {**worth, "sides": msgspec.to_builtins(sides)}


def _timing(run: Path, level: int) -> "Certificate":
    from harness.analysis.leveltiming import certificate_at  # noqa: PLC0415  # the analysis loads here
    from harness.cli.judging import recorded_case  # noqa: PLC0415

    return certificate_at(recorded_case(run), level)


def _timing_lines(timing: "Certificate") -> Iterator[str]:
    """Say above the tables what is wrong with the timings in them, whoever reads them."""
    from harness.analysis.results.instrument import TimingVerdict  # noqa: PLC0415

    if timing.verdict is TimingVerdict.VALID:
        return
    words = "VOID" if timing.verdict is TimingVerdict.VOID else "of unknown worth"
    yield from paragraph(f"The timings below are {words} through every lens: {'; '.join(timing.reasons)}.")
    yield ""


def _known_level(run: "RecordedRun", level: int) -> None:
    levels = sorted({request.key.level for request in run.requests if not request.key.is_warmup})
    if level not in levels:
        there = ", ".join(map(str, levels)) or "none"
        raise ConfigError(f"the run has no level {level}", where=str(run.run.folder), remedy=f"It has: {there}")


def _side(run: "RecordedRun", arm: Arm, level: int) -> "LensSide":
    from harness.analysis.lens import SideOnRecord, lens_of  # noqa: PLC0415
    from harness.analysis.lensstream import heard  # noqa: PLC0415

    recorded = recorded_side(run.run, arm)
    counted = [request for request in run.requests if request.key.arm is arm and _counts(request, level)]
    shown = [request for request in counted if request.record.was_streamed or request.record.failure is not None]
    return lens_of(
        SideOnRecord(
            arm=arm,
            endpoint=recorded.endpoint.name,
            level=level,
            judged=run.judged[arm],
            golden=recorded.golden,
            heard=[heard(one.record, one.wire, is_cut=one.attempt.failure is not None) for one in shown],
            n_left_out=len(counted) - len(shown),
        )
    )


def _counts(request: "RecordedRequest", level: int) -> bool:
    """Whether our own figures of this level count it: no warm-up, no retry, no follow-up."""
    from harness.analysis.trials import is_counted  # noqa: PLC0415

    return request.trial is not None and request.key.level == level and is_counted(request.record)


def _lines(side: "LensSide") -> Iterator[str]:
    from harness.analysis.results.lens import LATENCIES, RATES  # noqa: PLC0415
    from harness.report.format import plural  # noqa: PLC0415
    from harness.report.untrusted import one_line  # noqa: PLC0415

    reports = (side.own, *side.tools)
    left_out = f"; left out, as not streamed: {plural(side.n_left_out, 'answer')}" if side.n_left_out else ""
    counted = plural(side.n_requests, "request")
    yield f"{side.arm}, {one_line(side.endpoint, 60)}: {counted} of level {side.level}{left_out}"
    yield from paragraph(_CLOCKS)
    yield ""
    yield from grid(("requests", "successes", "failed"), [_counted(report) for report in reports])
    yield ""
    for family in LATENCIES:
        yield from _latency_table(family, reports)
    for family in RATES:
        yield from _rate_table(family, reports)
    if any(figure.is_nearest for report in reports for figure in report.figures):
        yield from paragraph(_NEAREST_WORDS)
        yield ""


def _counted(report: "ToolReport") -> tuple[str, str, str]:
    return report.tool, str(report.n_counted), str(report.n_failed)


def _latency_table(family: "Family", reports: Sequence["ToolReport"]) -> Iterator[str]:
    from harness.analysis.results.lens import Statistic  # noqa: PLC0415
    from harness.report.format import duration  # noqa: PLC0415

    statistics = (Statistic.MEAN, Statistic.MEDIAN, Statistic.P99)
    rows = []
    for report in reports:
        figures = [report.figure(family, statistic) for statistic in statistics]
        rows.append((report.tool, *(_cell(figure, duration) for figure in figures), _number(figures[0].n)))
    yield from grid((family.upper(), *statistics, "values"), rows)
    yield from _reasons(family, reports)


def _rate_table(family: "Family", reports: Sequence["ToolReport"]) -> Iterator[str]:
    from harness.analysis.results.lens import Statistic  # noqa: PLC0415
    from harness.report.format import scale_for  # noqa: PLC0415

    figures = [report.figure(family, Statistic.TOTAL) for report in reports]
    values = [figure.value.value for figure in figures if figure.value.value is not None]
    write = scale_for(_RATE_UNITS[family], values).full
    rows = [(report.tool, _cell(figure, write)) for report, figure in zip(reports, figures, strict=True)]
    yield from grid((_RATE_NAMES[family], "of the run"), rows)
    yield from _reasons(family, reports)


def _cell(figure: "LensFigure", write: Callable[[float], str]) -> str:
    from harness.report.format import DASH  # noqa: PLC0415

    if figure.value.value is None:
        return DASH
    return f"{_NEAREST if figure.is_nearest else ''}{write(figure.value.value)}"


def _number(n: int | None) -> str:
    return "" if n is None else str(n)


def _reasons(family: "Family", reports: Sequence["ToolReport"]) -> Iterator[str]:
    """Say under a table what each figure is, and why one is missing."""
    for report in reports:
        yield from paragraph(f"{report.tool}: {_reason(family, report)}", first="  ", rest="    ")
    yield ""


def _reason(family: "Family", report: "ToolReport") -> str:
    own = [figure for figure in report.figures if figure.family is family]
    reasons = {figure.value.reason: figure.statistic for figure in own if figure.value.reason is not None}
    if len(reasons) == 1 and report.why[family] in reasons:
        return report.why[family]
    is_all = len(reasons) == 1 and all(figure.value.value is None for figure in own)
    gaps = (reason if is_all else f"{statistic}: {reason}" for reason, statistic in reasons.items())
    return "; ".join((report.why[family], *gaps))
