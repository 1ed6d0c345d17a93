"""What each gate of the settings looks at: one table, used by the plan before a run and by the judgement after it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.gate import GateKind
from harness.analysis.results.trial import Rung, Trial
from harness.model.golden import Prompt
from harness.model.servicelevels import slo_gates, slo_id, slo_words
from harness.model.settings import Gates, RateGate, RatioGate, SloGate, SloMetric

Outcomes = Callable[[Trial], bool | None]


class Form(StrEnum):
    """How a gate's figures are computed."""

    RATES = "rates"  # of two sides
    QUANTILES = "quantiles"  # of two sides, one over the other
    LENGTH = "length"  # geometric means of completion tokens, one over the other
    COST = "cost"  # money per success, one over the other
    SHARE = "share"  # of the candidate's requests beyond a limit
    DISAGREEMENT = "disagreement"  # of answers


_KINDS = {
    Form.RATES: GateKind.DIFFERENCE,
    Form.QUANTILES: GateKind.RATIO,
    Form.LENGTH: GateKind.RATIO,
    Form.COST: GateKind.RATIO,
    Form.SHARE: GateKind.SHARE,
    Form.DISAGREEMENT: GateKind.DISAGREEMENT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """One gate: which prompts count, what is read of a trial, which way is better."""

    id: str
    title: str
    metric: str
    higher_is_better: bool
    counts: Callable[[Prompt], bool]
    nothing: str  # why the gate is not applicable when no prompt counts
    outcome: Outcomes | None = None  # of a rate gate; None where a trial has none
    failure_is: bool | None = None  # what a failed request is for a rate gate; None: not counted
    q: float | None = None  # of a ratio of quantiles
    other: Form | None = None  # where it is neither a difference of rates nor a ratio of quantiles
    slo: SloGate | None = None  # the limit of a share
    is_two_sided: bool = False  # whether a change in either direction is a loss
    awaits_loops: bool = False  # whether a prompt whose tool loops were not all run has no outcome

    @property
    def form(self) -> Form:
        """How its figures are computed."""
        return self.other or (Form.RATES if self.q is None else Form.QUANTILES)

    @property
    def kind(self) -> GateKind:
        """How its effect is expressed."""
        return _KINDS[self.form]

    @property
    def is_timing(self) -> bool:
        """Whether it judges instants, which a busy client may spoil."""
        return self.form in {Form.QUANTILES, Form.SHARE}

    @property
    def counts_failures(self) -> bool:
        """Whether a failed request is a value of this gate: a latency that never ends."""
        return self.is_timing and not self.higher_is_better

    def settings(self, gates: Gates) -> RateGate | RatioGate | SloGate:
        """Give the gate's margin, and whether it is required."""
        if self.slo is not None:
            return self.slo
        found: RateGate | RatioGate = getattr(gates, self.id)
        return found


def _every(_: Prompt) -> bool:
    return True


def _has_checks(prompt: Prompt) -> bool:
    return bool(prompt.checks)


def _is_tool_prompt(prompt: Prompt) -> bool:
    return prompt.is_tool_prompt


def _is_json_prompt(prompt: Prompt) -> bool:
    return prompt.is_json_prompt


def _measures_ttft(prompt: Prompt) -> bool:
    return prompt.measure.ttft


def _measures_decode(prompt: Prompt) -> bool:
    return prompt.measure.decode


def _tool_success(trial: Trial) -> bool | None:
    return None if trial.tool is None or is_unsettled(trial) else trial.tool.rung is Rung.OK


def is_unsettled(trial: Trial) -> bool:
    """Whether it belongs to a prompt whose tool loops were not all run on its side."""
    return trial.tool is not None and trial.tool.rung is Rung.NOT_RUN


_NO_TTFT = "no prompt of the set measures time to first token"
_NO_DECODE = "no prompt of the set measures the decode rate"

GATES: tuple[GateRow, ...] = (
    GateRow(
        id="task_success",
        title="Task success",
        metric="task_success",
        higher_is_better=True,
        counts=_has_checks,
        nothing="no prompt of the set has a check",
        outcome=lambda trial: trial.task_success,
        failure_is=False,
        awaits_loops=True,
    ),
    GateRow(
        id="tool_success",
        title="Tool-call success",
        metric="tool_success",
        higher_is_better=True,
        counts=_is_tool_prompt,
        nothing="the set has no tool prompt",
        outcome=_tool_success,
        failure_is=False,
        awaits_loops=True,
    ),
    GateRow(
        id="request_success",
        title="Request success",
        metric="request_success",
        higher_is_better=True,
        counts=_every,
        nothing="nothing was sent",
        outcome=lambda trial: trial.failure is None,
        failure_is=False,
    ),
    GateRow(
        id="json_validity",
        title="Valid JSON",
        metric="json_validity",
        higher_is_better=True,
        counts=_is_json_prompt,
        nothing="the set has no prompt that asks for JSON",
        outcome=lambda trial: trial.json_valid,
        failure_is=False,
    ),
    GateRow(
        id="refusal",
        title="Refusals",
        metric="refusal",
        higher_is_better=False,
        counts=_every,
        nothing="nothing was answered",
        outcome=lambda trial: trial.was_refused,
    ),
    GateRow(
        id="truncation",
        title="Truncated answers",
        metric="truncation",
        higher_is_better=False,
        counts=_every,
        nothing="nothing was answered",
        outcome=lambda trial: trial.was_truncated,
    ),
    GateRow(
        id="ttft_p50",
        title="TTFT p50",
        metric="ttft",
        higher_is_better=False,
        counts=_measures_ttft,
        nothing=_NO_TTFT,
        q=0.5,
    ),
    GateRow(
        id="ttft_p95",
        title="TTFT p95",
        metric="ttft",
        higher_is_better=False,
        counts=_measures_ttft,
        nothing=_NO_TTFT,
        q=0.95,
    ),
    GateRow(
        id="decode_p50",
        title="Decode rate p50",
        metric="decode_rate",
        higher_is_better=True,
        counts=_measures_decode,
        nothing=_NO_DECODE,
        q=0.5,
    ),
    GateRow(
        id="decode_p5",
        title="Decode rate p5",
        metric="decode_rate",
        higher_is_better=True,
        counts=_measures_decode,
        nothing=_NO_DECODE,
        q=0.05,
    ),
    GateRow(
        id="e2e_p50",
        title="E2E p50",
        metric="e2e",
        higher_is_better=False,
        counts=_every,
        nothing="nothing was sent",
        q=0.5,
    ),
    GateRow(
        id="completion_length",
        title="Completion length",
        metric="completion_tokens",
        higher_is_better=False,
        counts=_every,
        nothing="nothing was answered",
        other=Form.LENGTH,
        is_two_sided=True,
    ),
    GateRow(
        id="cost_per_success",
        title="Cost per success",
        metric="cost_per_success",
        higher_is_better=False,
        counts=_has_checks,
        nothing="no prompt of the set has a check",
        other=Form.COST,
    ),
    GateRow(
        id="identity",
        title="Excess disagreement",
        metric="same_canonical",
        higher_is_better=False,
        counts=_every,
        nothing="nothing was answered",
        other=Form.DISAGREEMENT,
    ),
)

_SLO_COUNTS: dict[SloMetric, tuple[Callable[[Prompt], bool], str]] = {
    SloMetric.TTFT: (_measures_ttft, _NO_TTFT),
    SloMetric.E2E: (_every, "nothing was sent"),
    SloMetric.DECODE_RATE: (_measures_decode, _NO_DECODE),
}


def gate_rows(gates: Gates) -> tuple[GateRow, ...]:
    """Give the rows of these settings: the table, and a row for each service level."""
    return (*GATES, *(_slo_row(gate) for gate in slo_gates(gates)))


def _slo_row(gate: SloGate) -> GateRow:
    counts, nothing = _SLO_COUNTS[gate.metric]
    return GateRow(
        id=slo_id(gate),
        title=f"Requests beyond {slo_words(gate)}",
        metric=gate.metric.value,
        higher_is_better=False,
        counts=counts,
        nothing=nothing,
        other=Form.SHARE,
        slo=gate,
    )
