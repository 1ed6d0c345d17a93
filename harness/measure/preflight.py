"""What is known before the first request: bodies, sampling, context window, and what probes have shown."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.measure.answerlength import max_answer_tokens
from harness.measure.body import compare_bodies, request_body
from harness.measure.estimate import prompt_tokens
from harness.measure.needs import needed_probes
from harness.model.chatrequest import unpinned_sampling
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet, Prompt
from harness.model.parameterhint import renaming_advice
from harness.model.probe import ProbeClass, ProbeReport, ProbeResult
from harness.model.record import Arm

_NAMED = 5
_VALUE = 60  # characters of a value that a line shows
_ABSENT = object()
_RENAME_PROBES = frozenset({"chat", "max_tokens", "max_completion_tokens"})


class Severity(StrEnum):
    """How much a line matters."""

    INFO = "info"
    WARNING = "warning"
    REFUSAL = "refusal"  # the run would fail for a known reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that a person should know before the run."""

    severity: Severity
    text: str
    remedy: str = ""
    probe: str = ""  # what it is about, where a probe says it


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What recorded probes say of one endpoint."""

    source: str  # the probe folder
    report: ProbeReport
    days: Mapping[str, str] = field(default_factory=dict)  # probe: the day of its result

    @property
    def model_reported(self) -> str | None:
        """Give the name that the endpoint answered under."""
        for probe in ("chat", "stream"):
            result = self.report.result(probe)
            name = result.facts.get("model") if result else None
            if isinstance(name, str) and name:
                return name
        return None


def preflight(golden: GoldenSet, endpoints: Mapping[Arm, Endpoint], known: Mapping[Arm, Knowledge]) -> tuple[Line, ...]:
    """List everything, in the order in which a person asks for it."""
    lines = [*_bodies(golden, endpoints), *_unknown(endpoints, known)]
    for arm, endpoint in endpoints.items():
        lines += [
            *_sampling(golden, arm, endpoint),
            *_window(golden, arm, endpoint, known.get(arm)),
            *_model(arm, endpoint, known.get(arm)),
            *_features(golden, arm, endpoint, known.get(arm)),
        ]
    return tuple(lines)


def _bodies(golden: GoldenSet, endpoints: Mapping[Arm, Endpoint]) -> Iterator[Line]:
    if len(endpoints) < 2:  # noqa: PLR2004  # nothing to compare with
        return
    a, b = endpoints[Arm.REFERENCE], endpoints[Arm.CANDIDATE]
    found: dict[str, list[str]] = defaultdict(list)
    for prompt in golden.prompts:
        one, other = request_body(prompt, a), request_body(prompt, b)
        for path in compare_bodies(one, other, a, b).declared:
            found[f"{path}: {_shown_value(one, path)} → {_shown_value(other, path)}"].append(prompt.id)
    if not found:
        yield Line(severity=Severity.INFO, text=f"the bodies of {_prompts(len(golden.prompts))} are the same")
    for difference, ids in found.items():
        where = "every prompt" if len(ids) == len(golden.prompts) else _listed(ids)
        yield Line(severity=Severity.INFO, text=f"declared difference in {where}: {difference}")


def _shown_value(body: Mapping[str, Any], path: str) -> str:
    value: Any = body
    for name in path.split("."):
        value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
    if value is _ABSENT:
        return "not sent"
    text = repr(value)
    return text if len(text) <= _VALUE else f"{text[: _VALUE - 1]}…"


def _sampling(golden: GoldenSet, arm: Arm, endpoint: Endpoint) -> Iterator[Line]:
    """Look at the bodies as sent: what an endpoint file drops is not pinned any more."""
    by_name: dict[str, list[str]] = defaultdict(list)
    for prompt in golden.prompts:
        for name in unpinned_sampling(as_pinned(prompt, endpoint)):
            by_name[name].append(prompt.id)
    for name, ids in by_name.items():
        yield Line(
            severity=Severity.WARNING,
            text=f"the {arm} is not sent a pinned {name} in {_prompts(len(ids))} ({_listed(ids)})",
            remedy=_pin(name),
        )


def as_pinned(prompt: Prompt, endpoint: Endpoint) -> dict[str, Any]:
    """Give the body as sent; a length that the endpoint wants under another name counts as max_tokens."""
    body = request_body(prompt, endpoint)
    renamed = endpoint.params.rename.get("max_tokens")
    return body | {"max_tokens": body[renamed]} if renamed in body else body


def _pin(name: str) -> str:
    value = {"temperature": "0", "top_p": "1"}.get(name, "a number")
    return f"Pin it in the golden set, or as sampling: {{{name}: {value}}} in the endpoint file"


def _unknown(endpoints: Mapping[Arm, Endpoint], known: Mapping[Arm, Knowledge]) -> Iterator[Line]:
    """Say once for both sides what nothing is known of."""
    sides = [arm for arm, endpoint in endpoints.items() if _window_of(endpoint, known.get(arm)) is None]
    if sides:
        yield Line(
            severity=Severity.INFO,
            text=f"the context window is not known of the {' and the '.join(sides)}",
            remedy="Write context_window: into the file, and the longest prompt is held against it",
        )
    sides = [arm for arm in endpoints if arm not in known]
    if sides:
        yield Line(
            severity=Severity.INFO,
            text=f"not probed yet: the {' and the '.join(sides)}",
            remedy="--probe asks for what this set needs, bench probe for everything",
        )


def _window_of(endpoint: Endpoint, known: Knowledge | None) -> int | None:
    return endpoint.context_window or (known.report.context_window if known else None)


def _window(golden: GoldenSet, arm: Arm, endpoint: Endpoint, known: Knowledge | None) -> Iterator[Line]:
    window = _window_of(endpoint, known)
    if window is None:
        return
    longest, need = max(
        ((prompt.id, prompt_tokens(prompt) + (max_answer_tokens(prompt, endpoint) or 0)) for prompt in golden.prompts),
        key=lambda found: found[1],
    )
    told = f"the longest prompt ({longest}) with its answer is about {need:,} tokens"
    if need > window:
        text = f"{told}, more than the {arm}'s context window of {window:,}"
        yield Line(severity=Severity.WARNING, text=text, remedy="It will be refused, or cut without a word")
    else:
        yield Line(severity=Severity.INFO, text=f"{told}; the {arm}'s context window is {window:,}")


def _model(arm: Arm, endpoint: Endpoint, known: Knowledge | None) -> Iterator[Line]:
    reported = known.model_reported if known else None
    if reported is not None and reported != endpoint.model:
        yield Line(
            severity=Severity.WARNING,
            text=f"the {arm} was asked for {endpoint.model!r} and answered as {reported!r:.100}",
            remedy="An alias, or another model: ask its provider",
        )


def _features(golden: GoldenSet, arm: Arm, endpoint: Endpoint, known: Knowledge | None) -> Iterator[Line]:
    needed = needed_probes(golden, endpoint)
    if known is None:
        return
    for probe, ids in needed.items():
        if (result := known.report.result(probe)) is not None:
            yield from _feature(arm, ids, result, known.days.get(probe))
    unknown = [probe for probe in needed if known.report.result(probe) is None]
    if unknown:
        yield Line(
            severity=Severity.INFO,
            text=f"of what the set needs of the {arm}, {len(unknown)} features are not probed",
            remedy=f"--probe asks for them: {', '.join(unknown)} (not in {known.source})",
        )


_WORDS = {
    ProbeClass.REJECTED: ("rejects", Severity.REFUSAL),
    ProbeClass.IGNORED: ("answers 200 and ignores", Severity.WARNING),
    ProbeClass.BROKEN: ("answers wrongly to", Severity.WARNING),
    ProbeClass.INCONCLUSIVE: ("showed nothing certain about", Severity.INFO),
}  # of the classes that a person must know before a run


def _feature(arm: Arm, ids: Sequence[str], result: ProbeResult, day: str | None) -> Iterator[Line]:
    if result.outcome in _WORDS:
        verb, severity = _WORDS[result.outcome]
        text = f"the {arm} {verb} {result.id}, which {_needed_by(ids)}: {result.evidence.removesuffix('.')}"
        text += f" (probed on {day})" if day else ""
        yield Line(severity=severity, text=text, remedy=remedy(result).removesuffix("."), probe=result.id)


def remedy(result: ProbeResult) -> str:
    """Say what to write into the endpoint file or to leave out; empty where nothing follows."""
    if result.outcome in (ProbeClass.SUPPORTED, ProbeClass.ACCEPTED):
        return ""
    is_uncertain = result.outcome is ProbeClass.INCONCLUSIVE  # also where the control itself was refused
    texts = [*(error.message or "" for error in result.errors), result.evidence, *result.notes]
    if (is_uncertain or result.id in _RENAME_PROBES) and (advice := renaming_advice(texts)):
        return f"Write {advice} into its file"
    if is_uncertain:
        return ""
    if result.id == "stream_usage":
        return "Write stream_usage: false into its file; token figures are then undefined"
    if result.outcome is ProbeClass.REJECTED:
        return result.change or "Drop the parameter under params: of its file, or leave those prompts out"
    return result.change or ""


def _needed_by(ids: Sequence[str]) -> str:
    return f"{_prompts(len(ids))} {'needs' if len(ids) == 1 else 'need'} ({_listed(ids)})"


def _listed(ids: Sequence[str]) -> str:
    more = f", … and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
    return f"{', '.join(ids[:_NAMED])}{more}"


def _prompts(n: int) -> str:
    return "1 prompt" if n == 1 else f"{n} prompts"
