"""The run over its clock: every request in sending order, what failed or stood still, and whether it drifts."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.overtime import SentRequest, drift, rolling_medians, sent_requests
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.case import Side
from harness.model.record import Arm, FailureKind
from harness.report import format as fmt
from harness.report.definitions import Catalog, title_of, unit_of
from harness.report.page import Figure, Withheld
from harness.report.plotdata import Boundary, Standing, TimedMark, TimedPlot, TimedPoint, TimedSide
from harness.report.untrusted import one_line
from harness.report.view_curves import LABEL
from harness.report.view_evidence import kind_words
from harness.report.view_figures import csv_text
from harness.report.view_load import level_words
from harness.report.view_manifest import sides_of

ID, TITLE = "overtime-plot", "The run over its clock"
STALL = "Stall"
MOST_POINTS = 600  # drawn per side
_ALWAYS_DRAWN = 20  # one in so many: the slowest
_MOST_LANES = 7
_OTHER = "Other failures"
_METRICS = ("ttft", "e2e")
_NS_PER_S = 1e9
_MINUTES_FROM_S = 600.0
_HEADS = ("side", "at_s", "level", "part", "prompt", "repeat", "standing", "value_s", "failure", "stalled_s")
_CAPTION = (
    "Each mark is a request at its instant of sending; line: rolling median, in which a failure is slower than "
    "anything. Above: what failed, when it ended, and stalls. Hollow: warm-ups and possibly cold requests, which do "
    "not count."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One side's requests, from which instant they are counted."""

    side: Side
    requests: tuple[SentRequest, ...]
    start_ns: int

    def at_s(self, at_ns: int) -> float:
        """Give an instant on the clock of the run."""
        return (at_ns - self.start_ns) / _NS_PER_S


def overtime_figure(analysis: Analysis, names: Mapping[Arm, str], catalog: Catalog) -> Figure | Withheld:
    """Plot each side's TTFT over the run; E2E where more requests have that."""
    metric = _metric(analysis)
    told = _sides(analysis, metric)
    if not any(one.requests for one in told):
        return Withheld(id=ID, title=TITLE, reasons=("no request has an instant of sending on the record",))
    values = [one.value for side in told for one in side.requests if one.value is not None]
    scale = fmt.scale_for(unit_of(catalog, metric), values)
    per_unit, unit = _time_unit(told)
    labels = _labels(analysis)
    lanes = _lanes(told)
    return Figure(
        id=ID,
        title=f"{TITLE}: {title_of(catalog, metric)} of every request",
        description=". ".join(_describe(one, names, scale) for one in told),
        plot=TimedPlot(
            x_label=f"{unit} since the run began" + ("" if _is_one_clock(told) else ", each side's own run"),
            y_label=f"{title_of(catalog, metric)}, {scale.symbol}, log axis",
            sides=tuple(_side(one, names, scale, per_unit, labels, lanes) for one in told),
        ),
        csv=csv_text(_HEADS, (line for one in told for line in _lines(one))),
        caption=" ".join(_captions(told)),
    )


def _metric(analysis: Analysis) -> str:
    """Choose TTFT unless most requests that have an end have none."""
    n_of = Counter(
        metric
        for trial in analysis.trials
        for metric in _METRICS
        if metric in trial.metrics and trial.metrics[metric].value is not None
    )
    return "ttft" if 2 * n_of["ttft"] >= n_of["e2e"] else "e2e"


def _sides(analysis: Analysis, metric: str) -> list[_Told]:
    """Count the instants of one run from its first request, whichever side sent it."""
    found = {
        side.arm: sent_requests(side, (trial for trial in analysis.trials if trial.key.arm is side.arm), metric)
        for side in sides_of(analysis.case)
    }
    sides = sides_of(analysis.case)
    starts = {
        run_id: min(
            (one.at_ns for side in sides if side.run_id == run_id for one in found[side.arm]),
            default=0,
        )
        for run_id in {side.run_id for side in sides}
    }
    return [_Told(side=side, requests=found[side.arm], start_ns=starts[side.run_id]) for side in sides]


def _is_one_clock(told: Sequence[_Told]) -> bool:
    return len({one.side.run_id for one in told}) == 1


def _time_unit(told: Sequence[_Told]) -> tuple[float, str]:
    last_s = max((one.at_s(request.ended_at_ns) for one in told for request in one.requests), default=0.0)
    return (60.0, "minutes") if last_s > _MINUTES_FROM_S else (1.0, "seconds")


def _labels(analysis: Analysis) -> dict[tuple[Arm, int], str]:
    """Name the levels of load, where there are several."""
    if not any(row.level for row in analysis.levels):
        return {}
    return {(row.arm, row.level): level_words(row) for row in analysis.levels}


def _lanes(told: Sequence[_Told]) -> dict[str, str]:
    """Give each kind of trouble its lane: 429s first, then the most frequent; the rest share one."""
    n_of = Counter(str(one.failure) for side in told for one in side.requests if one.failure is not None)
    kinds = sorted(n_of, key=lambda kind: (kind != FailureKind.RATE_LIMITED, -n_of[kind], kind))
    shown = kinds if len(kinds) <= _MOST_LANES else kinds[: _MOST_LANES - 1]
    return {kind: lane_words(kind) if kind in shown else _OTHER for kind in kinds}


def lane_words(kind: str) -> str:
    """Name a lane."""
    return "429, rate limited" if kind == FailureKind.RATE_LIMITED else kind_words(kind)


def _side(
    told: _Told,
    names: Mapping[Arm, str],
    scale: fmt.Scale,
    per_unit: float,
    labels: Mapping[tuple[Arm, int], str],
    lanes: Mapping[str, str],
) -> TimedSide:
    def at(at_ns: int) -> float:
        return told.at_s(at_ns) / per_unit

    arm = told.side.arm
    timed = [one for one in told.requests if one.value is not None]
    return TimedSide(
        arm=arm.value,
        label=one_line(names.get(arm, arm.value), LABEL),
        points=tuple(
            TimedPoint(at=at(one.at_ns), value=one.value * scale.factor, standing=standing_of(one))
            for one in thinned(timed, MOST_POINTS)
            if one.value is not None and one.value > 0
        ),
        medians=tuple(
            tuple((at(at_ns), value * scale.factor) for at_ns, value in line) for line in rolling_medians(told.requests)
        ),
        marks=tuple(_marks(told.requests, lanes, at)),
        boundaries=tuple(_boundaries(told.requests, arm, labels, at)),
    )


def standing_of(one: SentRequest) -> Standing:
    """Say whether a request is in the figures of its level."""
    if one.key.is_warmup:
        return Standing.WARMUP
    return Standing.COUNTED if one.is_counted else Standing.COLD


def thinned(requests: Sequence[SentRequest], most: int) -> list[SentRequest]:
    """Keep at most so many, in order: the slowest twentieth, what stands apart, and evenly of the rest."""
    if len(requests) <= most:
        return list(requests)
    slowest = sorted(requests, key=lambda one: -(one.value or 0.0))[: most // _ALWAYS_DRAWN]
    kept = {id(one) for one in slowest} | {id(one) for one in requests if standing_of(one) is not Standing.COUNTED}
    rest = [one for one in requests if id(one) not in kept]
    room = max(most - len(kept), 0)
    kept |= {id(rest[place * len(rest) // room]) for place in range(room)}
    return [one for one in requests if id(one) in kept]


def _marks(
    requests: Sequence[SentRequest], lanes: Mapping[str, str], at: Callable[[int], float]
) -> Iterator[TimedMark]:
    for one in requests:
        if one.failure is not None:
            ended = at(one.ended_at_ns)
            yield TimedMark(at=ended, until=ended, lane=lanes[str(one.failure)])
        for start_ns, end_ns in one.stalls:
            yield TimedMark(at=at(start_ns), until=at(end_ns), lane=STALL)


def _boundaries(
    requests: Sequence[SentRequest],
    arm: Arm,
    labels: Mapping[tuple[Arm, int], str],
    at: Callable[[int], float],
) -> Iterator[Boundary]:
    """Say where a level begins, and where a part of the run that was resumed does."""
    before: SentRequest | None = None
    for one in requests:
        words = []
        is_first = before is None or before.key.is_warmup
        if (
            not one.key.is_warmup
            and labels
            and (is_first or (before is not None and before.key.level != one.key.level))
        ):
            words.append(labels.get((arm, one.key.level), f"level {one.key.level + 1}"))
        if before is not None and before.part != one.part:
            words.append(f"part {one.part + 1}")
        if words:
            yield Boundary(at=at(one.at_ns), label=", ".join(words))
        before = one


def _describe(told: _Told, names: Mapping[Arm, str], scale: fmt.Scale) -> str:
    """Give a side's counts, its drift and its extremes in words."""
    arm, requests = told.side.arm, told.requests
    head = f"{arm.value} {names.get(arm, arm.value)}: {fmt.plural(len(requests), 'request')}"
    if not requests:
        return f"{head}"
    values = [one.value for one in requests if one.value is not None and one.is_counted]
    parts = [f"{head} in {fmt.duration(told.at_s(max(one.ended_at_ns for one in requests)))}"]
    if values:
        parts.append(f"from {scale.number(min(values))} to {scale.full(max(values))}")
    n_of = Counter(str(one.failure) for one in requests if one.failure is not None)
    parts += [f"{lane_words(kind)} {n:,}" for kind, n in n_of.most_common()]
    n_stalls = sum(len(one.stalls) for one in requests)
    parts += [f"{fmt.plural(n_stalls, 'stall')}"] if n_stalls else []
    parts.append(_drift_words(requests))
    return ", ".join(parts)


def _drift_words(requests: Sequence[SentRequest]) -> str:
    found = drift(requests)
    if found.value is None:
        return f"no drift read: {found.reason}"
    return f"last third over first third {fmt.ratio(found.value)}"


def _captions(told: Sequence[_Told]) -> Iterator[str]:
    yield _CAPTION
    readings = [(one, drift(one.requests)) for one in told]
    drifts = [f"{one.side.arm.value} {fmt.ratio(found.value)}" for one, found in readings if found.value is not None]
    if drifts:
        yield (
            f"Drift, last third over first third, each request over the median of its prompt: {', '.join(drifts)} "
            "(a reading, not a test)."
        )
    if not _is_one_clock(told):
        yield "The sides come from two runs: each has its own clock."
    if len({request.part for one in told for request in one.requests}) > 1:
        yield "Parts of a resumed run are laid end to end; the time between them is not shown."
    most = max((sum(request.value is not None for request in one.requests) for one in told), default=0)
    if most > MOST_POINTS:
        yield f"Drawn: {MOST_POINTS} of up to {most:,} requests per side, among them the slowest; the data have all."


def _lines(told: _Told) -> Iterator[tuple[object, ...]]:
    for one in told.requests:
        stalled = sum(end_ns - start_ns for start_ns, end_ns in one.stalls) / _NS_PER_S
        yield (
            told.side.arm.value,
            told.at_s(one.at_ns),
            one.key.level,
            one.part,
            one_line(one.key.prompt_id),
            one.key.repeat,
            standing_of(one).value,
            one.value,
            None if one.failure is None else one.failure.value,
            stalled or None,
        )
