"""Compares the streamed with the unstreamed answers of one endpoint.

Servers parse calls and JSON in other code when they stream. An unstreamed answer differs in an aspect where no
comparable streamed answer to its prompt is like it: what varies from one repeat to the next by itself is no difference.
Streamed answers are held against each other in the same way: where more unstreamed ones differ, there is a finding.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from harness.analysis.excerpts import excerpt
from harness.analysis.formvariation import is_beyond_variation
from harness.analysis.jsontext import read_json
from harness.analysis.results.case import Side
from harness.analysis.results.evidence import FindingRow
from harness.analysis.results.judgement import FormValidity, Holds, Validity
from harness.analysis.results.streams import Aspect, StreamDifferences, StreamParity
from harness.analysis.results.trial import Rung
from harness.analysis.streamaspects import RULES, VALID, AspectRule, json_state, same_meaning
from harness.analysis.structured import expects_json, stated_schema
from harness.analysis.tools import judge_tools
from harness.analysis.trials import JudgedRecord, at_level
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import FailureKind, Record

_ADVICE = {rule.aspect: rule.advice for rule in RULES} | {
    Aspect.ANSWER: "Unstreamed requests fail where streamed ones are answered: do not switch streaming off unseen."
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Forms:
    """One prompt's requests in both forms."""

    prompt: Prompt
    streamed: tuple[Record, ...]
    unstreamed: tuple[Record, ...]

    def answered(self) -> "_Forms":
        """Leave failed requests out."""
        return _Forms(
            prompt=self.prompt,
            streamed=tuple(record for record in self.streamed if record.failure is None),
            unstreamed=tuple(record for record in self.unstreamed if record.failure is None),
        )


def stream_parity(side: Side, judged: Sequence[JudgedRecord], golden: GoldenSet) -> StreamParity:
    """Compare one side's two forms; the streamed answers are the judged ones."""
    asked = list(filter(_was_asked_unstreamed, side.records))
    streamed = [item.record for item in at_level(judged, 0)]
    forms = [_forms(prompt, streamed, asked) for prompt in golden.prompts if prompt.is_structured]
    both = [found for found in (one.answered() for one in forms) if found.streamed and found.unstreamed]
    return StreamParity(
        arm=side.arm,
        n_prompts=len(both),
        n_unstreamed=len(asked),
        n_failed=sum(record.failure is not None for record in asked),
        n_texts_differ=sum(not _has_like(one, found) for found in both for one in found.unstreamed),
        differences=tuple(found for found in (_failures(forms), *_differences(both, side)) if found.n_compared),
        validity=tuple(_validity(both)),
        nothing="" if asked else _why_nothing(side, golden),
    )


def parity_findings(parity: StreamParity) -> tuple[FindingRow, ...]:
    """Give a row per aspect in which an unstreamed answer differs."""
    return tuple(
        FindingRow(
            arm=parity.arm,
            kind=f"unstreamed_{found.aspect}",
            n_responses=found.n_differing,
            example=found.example,
            advice=_ADVICE[found.aspect],
        )
        for found in parity.differences
        if found.is_beyond_variation
    )


def _was_asked_unstreamed(record: Record) -> bool:
    is_cancelled = record.failure is not None and record.failure.kind is FailureKind.CANCELLED
    return not record.key.is_streamed and record.attempt == 1 and not is_cancelled


def _why_nothing(side: Side, golden: GoldenSet) -> str:
    if not any(prompt.is_structured for prompt in golden.prompts):
        return "no prompt of the set has tools or JSON"
    is_off = side.plan is not None and side.plan.settings.get("plan", {}).get("unstreamed") == 0
    return "plan.unstreamed is 0" if is_off else "not run"


def _forms(prompt: Prompt, streamed: Sequence[Record], unstreamed: Sequence[Record]) -> _Forms:
    return _Forms(
        prompt=prompt,
        streamed=tuple(record for record in streamed if record.key.prompt_id == prompt.id),
        unstreamed=tuple(record for record in unstreamed if record.key.prompt_id == prompt.id),
    )


def _has_like(one: Record, forms: _Forms) -> bool:
    return any(same_meaning(one, other) for other in forms.streamed)


def _failures(forms: Sequence[_Forms]) -> StreamDifferences:
    """Count the unstreamed requests that failed where every streamed one was answered."""
    sound = [found for found in forms if found.streamed and all(record.failure is None for record in found.streamed)]
    compared = [record for found in sound for record in found.unstreamed]
    failed = [(record.key.prompt_id, record.failure) for record in compared if record.failure is not None]
    examples = [f"{prompt_id}: {failure.kind}: {excerpt(failure.message)}" for prompt_id, failure in failed]
    streamed = [record for found in forms if found.unstreamed for record in found.streamed]
    return _counted_differences(
        Aspect.ANSWER,
        differing=examples,
        n_compared=len(compared),
        n_streamed_differing=sum(record.failure is not None for record in streamed),
        n_streamed=len(streamed),
    )


def _counted_differences(
    aspect: Aspect, *, differing: Sequence[str], n_compared: int, n_streamed_differing: int, n_streamed: int
) -> StreamDifferences:
    counts = {
        "n_differing": len(differing),
        "n_compared": n_compared,
        "n_streamed_differing": n_streamed_differing,
        "n_streamed": n_streamed,
    }
    is_beyond = is_beyond_variation(**counts)
    return StreamDifferences(aspect=aspect, is_beyond_variation=is_beyond, example="".join(differing[:1]), **counts)


def _differences(both: Sequence[_Forms], side: Side) -> Iterator[StreamDifferences]:
    for rule in RULES:
        if rule.aspect is Aspect.USAGE and side.endpoint.get("stream_usage", True) is False:
            continue  # it was not asked for in streams
        compared = [
            comparison for found in both if rule.applies(found.prompt) for comparison in _unstreamed(rule, found)
        ]
        among = [comparison for found in both if rule.applies(found.prompt) for comparison in _streamed(rule, found)]
        yield _counted_differences(
            rule.aspect,
            differing=[one.told() for one in compared if one.is_unlike],
            n_compared=len(compared),
            n_streamed_differing=sum(one.is_unlike for one in among),
            n_streamed=len(among),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    """One answer in one aspect, beside the comparable streamed ones to its prompt."""

    prompt_id: str
    came: str | int
    seen: Sequence[str | int]
    is_unlike: bool  # every one of them

    def told(self) -> str:
        """Say what is usual and what came."""
        usual, count = Counter(self.seen).most_common(1)[0]
        streamed = f"streamed {excerpt(usual, 100)} ({count} of {len(self.seen)})"
        return f"{self.prompt_id}: {streamed}, unstreamed {excerpt(self.came, 100)}"


def _unstreamed(rule: AspectRule, forms: _Forms) -> Iterator[_Comparison]:
    for one in forms.unstreamed:
        yield from _compared(rule, forms.prompt, one, forms.streamed)


def _streamed(rule: AspectRule, forms: _Forms) -> Iterator[_Comparison]:
    """Hold each streamed answer against the others."""
    for place, one in enumerate(forms.streamed):
        others = (*forms.streamed[:place], *forms.streamed[place + 1 :])
        yield from _compared(rule, forms.prompt, one, others)


def _compared(rule: AspectRule, prompt: Prompt, one: Record, peers: Sequence[Record]) -> Iterator[_Comparison]:
    """Give the comparison, if there is anything to be compared with."""
    came = rule.signature(prompt, one)
    signatures = [rule.signature(prompt, peer) for peer in peers if rule.are_comparable(one, peer)]
    seen = [value for value in signatures if value is not None]
    if came is not None and seen:
        is_unlike = not any(rule.are_alike(came, value) for value in seen)
        yield _Comparison(prompt_id=prompt.id, came=came, seen=seen, is_unlike=is_unlike)


def _validity(both: Sequence[_Forms]) -> Iterator[FormValidity]:
    """Count what holds in each form: calls as the checks want them, JSON, JSON under its schema."""
    rows: tuple[tuple[Holds, Callable[[Prompt], bool], Callable[[Prompt, Record], bool]], ...] = (
        (Holds.TOOL_CALLS, lambda prompt: prompt.is_tool_prompt, _has_right_calls),
        (Holds.JSON, expects_json, lambda _, record: read_json(record.answer.text).problem is None),
        (Holds.SCHEMA, _has_schema, lambda prompt, record: json_state(prompt, record) == VALID),
    )
    for of, counts, holds in rows:
        counted = [found for found in both if counts(found.prompt)]
        if counted:
            streamed = [holds(found.prompt, record) for found in counted for record in found.streamed]
            unstreamed = [holds(found.prompt, record) for found in counted for record in found.unstreamed]
            yield FormValidity(of=of, streamed=_counted(streamed), unstreamed=_counted(unstreamed))


def _counted(outcomes: Sequence[bool]) -> Validity:
    return Validity(n=len(outcomes), n_valid=sum(outcomes))


def _has_right_calls(prompt: Prompt, record: Record) -> bool:
    judged = judge_tools(prompt, record)
    return judged is not None and judged.rung is Rung.OK


def _has_schema(prompt: Prompt) -> bool:
    return expects_json(prompt) and stated_schema(prompt) is not None
