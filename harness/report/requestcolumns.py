"""The columns of the table of requests: what each attempt says of itself, with its unit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.catalog import CATALOG, Of
from harness.analysis.results.case import Side
from harness.analysis.results.trial import CheckResult, Trial
from harness.model.golden import Prompt
from harness.model.record import Connection, Record, Usage
from harness.report.untrusted import one_line
from harness.units import seconds

Scalar = str | int | float | bool | None

_USAGE = ("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "reasoning_tokens")
METRICS = tuple(metric.id for metric in CATALOG.values() if metric.of is Of.REQUEST and metric.id not in _USAGE)
_TEXT = 400  # characters of a cell


class Kind(StrEnum):
    """What a column holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    TRUTH = "true or false"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """One attempt with all that a row may draw on."""

    side: Side
    record: Record
    prompt: Prompt
    trial: Trial | None  # None: a retry or a follow-up, which is no trial of its own
    start_at_ns: int  # of its run: the first instant at which a request was due


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column: its name, what it holds, in which unit, and how it is read from an attempt."""

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    give: Callable[[Attempted], Scalar]


def _text(name: str, meaning: str, give: Callable[[Attempted], object]) -> Column:
    return Column(name=name, kind=Kind.TEXT, meaning=meaning, give=lambda one: _shown(give(one)))


def _count(name: str, meaning: str, give: Callable[[Attempted], int | None], unit: str = "") -> Column:
    return Column(name=name, kind=Kind.INTEGER, meaning=meaning, unit=unit, give=give)


def _truth(name: str, meaning: str, give: Callable[[Attempted], bool | None]) -> Column:
    return Column(name=name, kind=Kind.TRUTH, meaning=meaning, give=give)


def _shown(value: object) -> str | None:
    """Give a visible line: what an endpoint sent may hold controls and halves of surrogate pairs."""
    return None if value is None else one_line(str(value), _TEXT)


def _identity() -> Iterator[Column]:
    yield _text("run_id", "the run that holds the request", lambda one: one.side.run_id)
    yield _text("request", "its name in the run: arm/prompt/repeat", lambda one: one.record.key.id)
    yield _count("attempt", "1: the first, which is judged; more: retries", lambda one: one.record.attempt)
    yield _text("arm", "reference, candidate or placebo", lambda one: one.side.arm.value)
    yield _text("endpoint", "the endpoint's name", lambda one: one.side.name)
    yield _text("prompt_id", "the golden prompt", lambda one: one.record.key.prompt_id)
    yield _text("category", "the prompt's category", lambda one: one.prompt.category)
    yield _text("tags", "the prompt's tags, separated by spaces", lambda one: " ".join(one.prompt.tags))
    yield _count("repeat", "0-based within the prompt; warm-ups count apart", lambda one: one.record.key.repeat)
    yield _count("block", "position in the schedule", lambda one: one.record.block)
    yield _count("level", "position in the plan's load; level 0 is judged", lambda one: one.record.key.level)
    yield _count("turn", "2: the second request of a tool loop", lambda one: one.record.key.turn)
    yield _truth("is_judged", "counts in the verdict", lambda one: one.trial is not None and one.trial.is_judged)
    yield _truth("is_warmup", "a warm-up, left out of every statistic", lambda one: one.record.key.is_warmup)
    yield _truth("is_possibly_cold", "may have met a cold server", lambda one: one.record.is_possibly_cold)
    yield _truth(
        "is_follow_up", "sent after the levels: a second turn or unstreamed", lambda one: one.record.key.is_follow_up
    )
    yield _truth("is_streamed", "a stream was asked for", lambda one: one.record.key.is_streamed)


def _outcome() -> Iterator[Column]:
    yield _text(
        "failure", "kind of failure; empty: none", lambda one: one.record.failure.kind if one.record.failure else None
    )
    yield _text(
        "failure_message", "what showed it", lambda one: one.record.failure.message if one.record.failure else None
    )
    yield _count("status", "HTTP status", lambda one: one.record.status)
    yield _text("finish_reason", "as sent", lambda one: one.record.answer.finish_reason)
    yield _text("model_asked", "the model in the request", lambda one: one.side.endpoint.get("model"))
    yield _text("model_reported", "the model in the reply", lambda one: one.record.model_reported)
    yield _text("response_id", "the reply's own id", lambda one: one.record.response_id)


# Stamp of a record -> its column and what it is.
_SINCE_START = (
    ("intended_at_ns", "intended_s", "when it was due, since the first request of its run was"),
    ("admitted_at_ns", "admitted_s", "when quota and slot were got, on the same clock"),
    ("sent_at_ns", "sent_s", "when the kernel was handed its last byte, on the same clock"),
)
_SINCE_SENT = (
    ("headers_at_ns", "headers_after_s", "sent to the end of the response's head"),
    ("event_1_at_ns", "first_event_after_s", "sent to the first event of any kind"),
    ("token_1_at_ns", "first_output_after_s", "sent to the first output"),
    ("answer_1_at_ns", "first_answer_after_s", "sent to the first visible output"),
    ("token_n_at_ns", "last_output_after_s", "sent to the last output"),
    ("finish_at_ns", "finish_after_s", "sent to the finish reason"),
    ("usage_at_ns", "usage_after_s", "sent to the usage"),
    ("done_at_ns", "done_after_s", "sent to [DONE]"),
    ("ended_at_ns", "ended_after_s", "sent to the last byte, or to the failure"),
)


def _instants() -> Iterator[Column]:
    for stamp, name, meaning in _SINCE_START:
        yield _span(name, meaning, stamp, lambda one: one.start_at_ns)
    for stamp, name, meaning in _SINCE_SENT:
        yield _span(name, meaning, stamp, lambda one: one.record.stamps.sent_at_ns)


def _span(name: str, meaning: str, stamp: str, since: Callable[[Attempted], int | None]) -> Column:
    def give(one: Attempted) -> float | None:
        begin_at_ns, end_at_ns = since(one), getattr(one.record.stamps, stamp)
        return None if begin_at_ns is None or end_at_ns is None else seconds(end_at_ns - begin_at_ns)

    return Column(name=name, kind=Kind.NUMBER, meaning=meaning, unit="s", give=give)


def _wire() -> Iterator[Column]:
    yield _truth("reused_connection", "sent on a kept connection", lambda one: _reused(one.record))
    for name, meaning in (("dns", "looking up the name"), ("tcp", "connecting"), ("tls", "the TLS handshake")):
        yield _connection(name, meaning)
    yield _count("n_reads", "socket reads", lambda one: len(one.record.reads.n_bytes))
    yield _count("n_bytes", "bytes of the response, head included", lambda one: sum(one.record.reads.n_bytes), "bytes")
    yield _count("n_events", "server-sent events", lambda one: one.record.n_events)
    yield _count("n_output_events", "events with output", lambda one: len(one.record.arrivals.at_ns))


def _reused(record: Record) -> bool | None:
    return None if record.connection is None else record.connection.reused


def _connection(name: str, meaning: str) -> Column:
    def give(one: Attempted) -> float | None:
        found: Connection | None = one.record.connection
        duration_ns: int | None = None if found is None else getattr(found, f"{name}_ns")
        return None if duration_ns is None else seconds(duration_ns)

    why = f"{meaning}; empty on a kept connection"
    return Column(name=f"{name}_s", kind=Kind.NUMBER, meaning=why, unit="s", give=give)


def _usage() -> Iterator[Column]:
    for name in _USAGE:
        yield _count(name, f"{CATALOG[name].title.lower()}, as usage reports them", _reported(name), "tokens")


def _reported(name: str) -> Callable[[Attempted], int | None]:
    def give(one: Attempted) -> int | None:
        usage: Usage | None = one.record.usage
        return None if usage is None else getattr(usage, name)

    return give


def _metrics() -> Iterator[Column]:
    for metric in METRICS:
        found = CATALOG[metric]
        name = f"{metric}_s" if found.unit == "s" else metric
        yield Column(name=name, kind=Kind.NUMBER, meaning=found.title, unit=found.unit, give=_measured(metric))
    yield _text("undefined", "the reason of every metric that has no value", _reasons)


def _measured(metric: str) -> Callable[[Attempted], float | None]:
    def give(one: Attempted) -> float | None:
        if one.trial is None:
            return None
        value = one.trial.cost if metric == "cost" else one.trial.metrics.get(metric)
        return None if value is None else value.value

    return give


def _reasons(one: Attempted) -> str | None:
    if one.trial is None:
        return "no trial of its own: a retry or a follow-up"
    values = {metric: one.trial.cost if metric == "cost" else one.trial.metrics.get(metric) for metric in METRICS}
    reasons: dict[str, list[str]] = {}
    for metric, value in values.items():
        if value is not None and value.reason is not None:
            reasons.setdefault(value.reason, []).append(metric)
    return "; ".join(f"{', '.join(metrics)}: {reason}" for reason, metrics in reasons.items()) or None


def _judged() -> Iterator[Column]:
    yield _truth("task_success", "passed every check; empty: no checks", lambda one: _of(one, "task_success"))
    yield _count("n_checks", "checks judged", lambda one: len(one.trial.checks) if one.trial else None)
    yield _count("n_checks_failed", "of them: failed", lambda one: len(_failed(one.trial)) if one.trial else None)
    yield _text("failed_checks", "which, with what was expected and what came", _failed_checks)
    yield _text("tool_rung", "where a tool call fell; ok: the top", lambda one: _rung(one.trial) if one.trial else None)
    yield _truth("json_valid", "the answer is JSON, where JSON was asked for", lambda one: _of(one, "json_valid"))
    yield _truth("was_refused", "the answer declines", lambda one: _of(one, "was_refused"))
    yield _truth("was_truncated", "cut by length where that was not asked for", lambda one: _of(one, "was_truncated"))
    yield _text("loop", "how its tool loop ended", _loop)
    yield _text("findings", "what was odd about the response", lambda one: _findings(one.record))


def _failed(trial: Trial) -> list[CheckResult]:
    return [check for check in trial.checks if not check.passed]


def _rung(trial: Trial) -> str | None:
    return None if trial.tool is None else trial.tool.rung.value


def _of(one: Attempted, name: str) -> bool | None:
    return None if one.trial is None else getattr(one.trial, name)


def _loop(one: Attempted) -> str | None:
    return None if one.trial is None or one.trial.loop is None else one.trial.loop.outcome.value


def _failed_checks(one: Attempted) -> str | None:
    failed = _failed(one.trial) if one.trial else []
    return "; ".join(f"{check.check}: expected {check.expected}, came {check.came}" for check in failed) or None


def _findings(record: Record) -> str | None:
    return " ".join(finding.kind.value for finding in record.findings) or None


COLUMNS: tuple[Column, ...] = (
    *_identity(),
    *_outcome(),
    *_instants(),
    *_wire(),
    *_usage(),
    *_metrics(),
    *_judged(),
)
