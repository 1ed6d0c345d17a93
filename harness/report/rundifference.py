"""Two runs side by side: what differs in how they were made, in what was asked, and in what came of it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from harness.analysis.jsonleaves import json_leaves
from harness.analysis.results.estimates import Value
from harness.analysis.results.instrument import VOID_FIGURE
from harness.analysis.values import missing
from harness.model.golden import GoldenSet
from harness.model.record import Arm, RunHeader, RunStatus
from harness.report import format as fmt
from harness.report.runfigures import TIMES, Figure
from harness.report.untrusted import one_line

_SHOWN = 40  # lines of one kind
_VALUE = 60
ABSENT = "absent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """What is compared of a run."""

    header: RunHeader
    golden: GoldenSet
    verdict: str | None  # as it was last judged; None: it was not, or is of one endpoint
    figures: Mapping[Arm, Sequence[Figure]]
    void_timing: str = ""  # why its timings are VOID; empty where they are not


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A value at a path that the two runs do not share, as JSON; `absent` where a run has none."""

    path: str
    a: str
    b: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FigurePair:
    """One figure of one side in both runs."""

    arm: Arm
    title: str
    unit: str
    a: Value
    b: Value
    n_a: int
    n_b: int
    ratio: float | None  # b over a; None where a value is missing, zero or infinite


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDifference:
    """Everything in which two runs differ, and why some of it is not to be compared."""

    run_a: str
    run_b: str
    started_a: str
    started_b: str
    verdict_a: str | None
    verdict_b: str | None
    is_void_a: bool  # no figure of its times is given
    is_void_b: bool
    not_comparable: tuple[str, ...]
    settings: tuple[Changed, ...]
    endpoints: tuple[Changed, ...]
    prompts_only_in_a: tuple[str, ...]
    prompts_only_in_b: tuple[str, ...]
    prompts_changed: tuple[Changed, ...]
    provenance: tuple[Changed, ...]
    figures: tuple[FigurePair, ...]


def run_difference(a: ComparedRun, b: ComparedRun) -> RunDifference:
    """Compare two runs; nothing is refused."""
    one, other = ({prompt.id: msgspec.to_builtins(prompt) for prompt in run.golden.prompts} for run in (a, b))
    shared = [prompt_id for prompt_id in one if prompt_id in other]
    return RunDifference(
        run_a=a.header.run_id,
        run_b=b.header.run_id,
        started_a=a.header.started_at,
        started_b=b.header.started_at,
        verdict_a=a.verdict,
        verdict_b=b.verdict,
        is_void_a=bool(a.void_timing),
        is_void_b=bool(b.void_timing),
        not_comparable=tuple(_why_not(a, b)),
        settings=changes(_settings(a.header), _settings(b.header)),
        endpoints=changes(_endpoints(a.header), _endpoints(b.header)),
        prompts_only_in_a=tuple(prompt_id for prompt_id in one if prompt_id not in other),
        prompts_only_in_b=tuple(prompt_id for prompt_id in other if prompt_id not in one),
        prompts_changed=changes({key: one[key] for key in shared}, {key: other[key] for key in shared}),
        provenance=changes(a.header.provenance, b.header.provenance),
        figures=tuple(_pairs(_told(a), _told(b))),
    )


def _told(run: ComparedRun) -> Mapping[Arm, Sequence[Figure]]:
    """Leave the times out where they do not count."""
    if not run.void_timing:
        return run.figures
    void = missing(VOID_FIGURE)
    return {
        arm: [replace(one, value=void) if one.unit in TIMES else one for one in figures]
        for arm, figures in run.figures.items()
    }


def changes(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[Changed, ...]:
    """Give every path at which two JSON values differ."""
    ours, theirs = dict(json_leaves(a, "")), dict(json_leaves(b, ""))
    return tuple(
        Changed(path=path.removeprefix("."), a=ours.get(path, ABSENT), b=theirs.get(path, ABSENT))
        for path in dict.fromkeys((*ours, *theirs))
        if path and ours.get(path) != theirs.get(path)
    )


def _settings(header: RunHeader) -> dict[str, Any]:
    plan = header.plan
    own = {"arrival": plan.arrival.value, "load": list(plan.load), "seed": plan.seed, "repeats": plan.repeats}
    return {**plan.settings, "as planned": own, "estimators": plan.estimators}


def _endpoints(header: RunHeader) -> dict[str, Any]:
    return {arm.arm.value: arm.endpoint for arm in header.arms}


def _why_not(a: ComparedRun, b: ComparedRun) -> Iterator[str]:
    """Say what keeps figures of the two from being compared, worst first."""
    if a.golden.sha256 != b.golden.sha256:
        yield "the golden sets differ: rates and quantiles are over different prompts or judged by different checks"
    if a.header.plan.arrival is not b.header.plan.arrival or a.header.plan.load != b.header.plan.load:
        yield "the load differs: latencies and rates of different loads say nothing about the endpoints"
    if a.header.plan.repeats != b.header.plan.repeats:
        yield "the repeats differ: quantiles weigh the prompts differently"
    if a.header.plan.estimators != b.header.plan.estimators:
        yield "the statistical definitions differ between the runs; the figures below are all of this version"
    yield from _why_not_the_client(a.header, b.header)
    yield from _why_not_the_run("A", a)
    yield from _why_not_the_run("B", b)
    if not set(a.figures) & set(b.figures):
        yield "the runs have no side in common"


def _why_not_the_run(word: str, run: ComparedRun) -> Iterator[str]:
    if run.void_timing:
        yield f"the timings of {word} are VOID ({run.void_timing}): no latency and no rate of tokens is compared"
    if run.header.status is not RunStatus.FINISHED:
        yield f"{word} did not go to the end of its plan ({run.header.status})"


def _why_not_the_client(a: RunHeader, b: RunHeader) -> Iterator[str]:
    names = ("cpu", "cpus", "system", "machine", "kernel")
    differing = [name for name in names if a.provenance.get(name) != b.provenance.get(name)]
    if differing:
        yield f"the clients differ ({', '.join(differing)}): latencies hold a part of the client and its network"


def _pairs(a: Mapping[Arm, Sequence[Figure]], b: Mapping[Arm, Sequence[Figure]]) -> Iterator[FigurePair]:
    for arm in a:
        for ours, theirs in zip(a[arm], b.get(arm, ()), strict=False):
            yield FigurePair(
                arm=arm,
                title=ours.title,
                unit=ours.unit,
                a=ours.value,
                b=theirs.value,
                n_a=ours.n,
                n_b=theirs.n,
                ratio=_ratio(ours.value.value, theirs.value.value),
            )


def _ratio(a: float | None, b: float | None) -> float | None:
    if a is None or b is None or not a or not math.isfinite(a) or not math.isfinite(b):
        return None
    return b / a


def run_difference_lines(found: RunDifference) -> Iterator[str]:
    """Lay it out for a terminal."""
    void = ", timings VOID"
    for word, run, started, verdict, is_void in (
        ("A", found.run_a, found.started_a, found.verdict_a, found.is_void_a),
        ("B", found.run_b, found.started_b, found.verdict_b, found.is_void_b),
    ):
        yield f"{word}  {one_line(run)}, {started}, {verdict or 'no verdict'}{void if is_void else ''}"
    yield from _section("Not comparable", found.not_comparable)
    yield from _section("Figures, A → B", _figures(found.figures))
    yield from _section("Settings", map(_changed, found.settings))
    yield from _section("Endpoints", map(_changed, found.endpoints))
    yield from _section("Golden prompts", _prompts(found))
    yield from _section("Client", map(_changed, found.provenance))


def _section(title: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    """Give a part under its title; no difference is said, too."""
    shown = list(lines)
    yield ""
    yield title if shown else f"{title}: nothing differs" if title != "Not comparable" else "Comparable as they are"
    yield from (f"  {line}" for line in shown[:_SHOWN])
    if len(shown) > _SHOWN:
        yield f"  and {len(shown) - _SHOWN} more: --json has all"


def _changed(one: Changed) -> str:
    return f"{one_line(one.path, 80)}: {one_line(one.a, _VALUE)} → {one_line(one.b, _VALUE)}"


def _prompts(found: RunDifference) -> Iterator[str]:
    for word, ids in (("A", found.prompts_only_in_a), ("B", found.prompts_only_in_b)):
        if ids:
            yield one_line(f"only in {word}: {', '.join(ids)}", 400)
    yield from map(_changed, found.prompts_changed)


def _figures(pairs: Sequence[FigurePair]) -> Iterator[str]:
    for pair in pairs:
        scale = fmt.scale_for(pair.unit, [one.value for one in (pair.a, pair.b) if one.value is not None])
        ratio = f"  {fmt.ratio(pair.ratio)}" if pair.ratio is not None and pair.unit != "fraction" else ""
        sides = " → ".join(
            f"{fmt.value_text(value, scale)} (n {n})" for value, n in ((pair.a, pair.n_a), (pair.b, pair.n_b))
        )
        yield f"{pair.arm:<10} {pair.title:<24} {one_line(sides)}{ratio}"
