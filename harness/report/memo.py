"""The cut-over memo as a view: one page of what was decided, on what grounds, and when to go back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.analysis.exploratory import why_exploratory
from harness.analysis.memotriggers import Trigger, triggers
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.gate import Gate, Outcome
from harness.analysis.results.judgement import Verdict
from harness.errors import ConfigError
from harness.report import format as fmt
from harness.report.definitions import Catalog, unit_of
from harness.report.page import Fact, GateView, SideLabel, VerdictView
from harness.report.untrusted import visible
from harness.report.view_manifest import reproduce, side_labels
from harness.report.view_tls import tls_facts
from harness.report.view_verdict import gate_views, verdict_view

if TYPE_CHECKING:
    from harness.model.record import RunHeader

_DIGEST = 16
_MOST_PROMPTS = 3
_MOST_UNVERIFIED = 8

_LEDES = {
    Verdict.PASS: "Roll back once a count is exceeded: that is more than you allow.",
    Verdict.INCONCLUSIVE: "The run does not settle the question. Who cuts over nevertheless counts:",
}
_NO_TRIGGERS = {
    Verdict.FAIL: "None: the run advises against the cut-over.",
    Verdict.INVALID: "None: the run says nothing, so no worst case follows from it.",
}
_CAVEAT = (
    "The counts hold for requests like those of the golden set. Where your traffic is harder, it fails more often by "
    "itself: replay the set after the cut-over, or count what the reference does on the same traffic first. An "
    "endpoint that stands exactly at your margin exceeds each count in at most 1 % of windows."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerView:
    """One rollback condition in words, with how sure it is."""

    text: str
    allowed: str  # rate of the bad at the margin, with the false alarms there; why there is no trigger
    noticed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoView:
    """Every string of the memo."""

    title: str
    run_id: str
    sides: tuple[SideLabel, ...]
    verdict: VerdictView
    facts: tuple[Fact, ...]
    gates: tuple[GateView, ...]
    triggers_lede: str
    triggers: tuple[TriggerView, ...]
    caveat: str
    not_verified: tuple[str, ...]
    n_more_not_verified: int
    read_first: tuple[str, ...]
    reproduce: tuple[Fact, ...]


def memo_view(analysis: Analysis, header: "RunHeader | None", catalog: Catalog) -> MemoView:
    """Say the memo; ConfigError for a run without a verdict."""
    judgement, case = analysis.judgement, analysis.case
    if judgement is None or case.candidate is None:
        raise ConfigError(
            "a run of one endpoint has no verdict, so there is nothing to write a cut-over memo about",
            where=case.reference.run_id,
            remedy="Compare two endpoints: bench compare a.yml b.yml",
        )
    found = _trigger_views(judgement.gates, judgement.verdict, catalog)
    unverified = tuple(visible(line) for line in judgement.not_verified)
    return MemoView(
        title=f"{visible(case.reference.name)} \N{RIGHTWARDS ARROW} {visible(case.candidate.name)}",
        run_id=visible(case.candidate.run_id),
        sides=side_labels(case),
        verdict=verdict_view(analysis),
        facts=(*tls_facts(analysis.case), *_facts(analysis, header)),
        gates=tuple(view for view in gate_views(judgement, catalog) if view.id in _decisive(judgement.gates)),
        triggers_lede=_lede(judgement.verdict, bool(found)),
        triggers=found,
        caveat=_CAVEAT if found else "",
        not_verified=unverified[:_MOST_UNVERIFIED],
        n_more_not_verified=max(0, len(unverified) - _MOST_UNVERIFIED),
        read_first=judgement.read_first[:_MOST_PROMPTS],
        reproduce=reproduce(case, header),
    )


def _decisive(gates: tuple[Gate, ...]) -> set[str]:
    """Give the gates that the verdict depends on, those that it could not judge included."""
    return {
        gate.id
        for gate in gates
        if (gate.is_required or gate.demoted_because) and gate.outcome is not Outcome.NOT_APPLICABLE
    }


def _facts(analysis: Analysis, header: "RunHeader | None") -> Iterator[Fact]:
    golden = analysis.case.golden
    n_pairs = max((gate.n_candidate for gate in analysis.judgement.gates), default=0) if analysis.judgement else 0
    yield Fact(label="golden set", value=f"{visible(golden.name)} {visible(golden.version)}", detail=golden.sha256[:12])
    yield Fact(label="prompts", value=fmt.count(len(golden.prompts)))
    yield Fact(label="judged requests per side", value=fmt.count(n_pairs))
    if header is not None:
        yield Fact(label="measured", value=fmt.moment(header.started_at))
        reasons = why_exploratory(analysis.case)
        label = f"exploratory: {'; '.join(reasons)}" if reasons else ""
        yield Fact(label="plan digest", value=header.plan_sha256[:_DIGEST], detail=label)


def _lede(verdict: Verdict, has_triggers: bool) -> str:  # noqa: FBT001  # private, one call
    if verdict in _NO_TRIGGERS:
        return _NO_TRIGGERS[verdict]
    return _LEDES[verdict] if has_triggers else "None: no required gate was judged."


def _trigger_views(gates: tuple[Gate, ...], verdict: Verdict, catalog: Catalog) -> tuple[TriggerView, ...]:
    if verdict in _NO_TRIGGERS:
        return ()
    return tuple(_trigger_view(trigger, catalog) for trigger in triggers(gates))


def _trigger_view(found: Trigger, catalog: Catalog) -> TriggerView:
    if found.window is None or found.most is None or found.allowed_rate is None:
        return TriggerView(text=f"{found.title}: no trigger", allowed=found.missing or "", noticed=fmt.DASH)
    what = _BAD.get(found.gate) or (_in_sentence(found.title) if found.limit is None else _beyond(found, catalog))
    return TriggerView(
        text=f"{found.most:,} of the next {found.window:,} {what}",
        allowed=f"{fmt.percent(found.allowed_rate)}, {_share(found.false_alarm)}",
        noticed=f"{_share(found.seen_at)} in {_share(found.power)}",
    )


def _share(value: float | None) -> str:
    return fmt.DASH if value is None else fmt.percent(value)


def _in_sentence(title: str) -> str:
    return visible(f"{title[:1].lower()}{title[1:]}")


_BAD = {
    "task_success": "checked answers are wrong",
    "tool_success": "tool calls go wrong",
    "request_success": "requests fail",
    "json_validity": "JSON answers are no JSON",
    "refusal": "answers are refusals",
    "truncation": "answers are cut off",
}
_WAITS = {"ttft": "wait over {} for a token", "e2e": "take over {} in all"}


def _beyond(found: Trigger, catalog: Catalog) -> str:
    size = _quantity(found, found.limit or 0.0, catalog)
    if found.metric == "decode_rate":
        return f"streams decode below {size}"
    return f"requests {_WAITS.get(found.metric, 'lie beyond {}').format(size)}"


def _quantity(found: Trigger, value: float, catalog: Catalog) -> str:
    return fmt.scale_for(unit_of(catalog, found.metric), [value]).full(value)
