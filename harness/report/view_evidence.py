"""Money, failures, findings: as text."""

from collections.abc import Callable, Sequence

from harness.analysis.results import Analysis, Economics, FailureRow, FindingRow, Value
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.page import Card, Cell, Column, Table
from harness.report.untrusted import one_line

_CARD_PROMPTS = 6
_KINDS_SHOWN = 5  # kinds of failure in one line
# Kinds whose words are not those of their code.
_TITLES = {
    "dns": "Host name not found",
    "connect": "Connection refused",
    "tls": "TLS handshake failed",
    "timeout_connect": "Timeout while connecting",
    "timeout_first_output": "Timeout before the first output",
    "timeout_idle": "Timeout while idle",
    "timeout_total": "Timeout of the whole request",
    "malformed_http": "Malformed HTTP",
    "no_done": "No [DONE]",
    "bytes_after_done": "Bytes after [DONE]",
    "stream_answered_with_json": "Stream answered with JSON",
    "invalid_utf8": "Invalid UTF-8",
    "finish_reason_contradicts": "Finish reason contradicts the answer",
    "model_differs": "Another model in the reply",
    "sdk_empty_answer": "OpenAI SDK: sees an empty answer",
    "sdk_exception": "OpenAI SDK: raises on a whole answer",
    "sdk_crash": "OpenAI SDK: crashes",
    "sdk_reports_success": "OpenAI SDK: reports no error",
    "sdk_other_text": "OpenAI SDK: sees another text",
}


def economics_table(found: Sequence[Economics], names: dict[Arm, str]) -> Table | None:
    """Give tokens and money, attempts of every outcome told apart, a column per side."""
    if not found:
        return None
    lines: tuple[tuple[str, Callable[[Economics], Cell]], ...] = (
        ("requests", lambda side: Cell(text=fmt.count(side.n_requests))),
        ("succeeded", lambda side: Cell(text=fmt.share(side.n_successes, side.n_requests))),
        ("failed", lambda side: _trouble(side.n_failed, side.n_requests)),
        ("truncated", lambda side: _trouble(side.n_truncated, side.n_requests)),
        ("empty", lambda side: _trouble(side.n_empty, side.n_requests)),
        ("prompt tokens", lambda side: _tokens(side.prompt_tokens)),
        ("of them cached", lambda side: _tokens(side.cached_tokens)),
        ("completion tokens", lambda side: _tokens(side.completion_tokens)),
        ("of them reasoning", lambda side: _tokens(side.reasoning_tokens)),
        ("cost", lambda side: _money(side.cost, side.currency)),
        ("cost per success", lambda side: _money(side.cost_per_success, side.currency)),
    )
    return Table(
        caption="As each side reported them",
        columns=(Column(title="", is_number=False), *(Column(title=names.get(side.arm, side.arm)) for side in found)),
        rows=tuple((Cell(text=label), *(write(side) for side in found)) for label, write in lines),
    )


def _trouble(part: int, whole: int) -> Cell:
    return Cell(text=fmt.share(part, whole), tone="warn" if part else "plain")


def _tokens(number: int | None) -> Cell:
    if number is None:
        return Cell(text=fmt.DASH, detail="not reported", tone="muted")
    return Cell(text=fmt.count(number))


def _money(value: Value, currency: str | None) -> Cell:
    if value.value is None:
        return Cell(text=fmt.DASH, detail=value.reason or "", tone="muted")
    return Cell(text=fmt.money(value.value, currency))


def kind_words(kind: str) -> str:
    """Give the kind of a failure or finding in words."""
    return _TITLES.get(kind, kind.replace("_", " ").capitalize())


def failure_cards(rows: Sequence[FailureRow], names: dict[Arm, str]) -> tuple[Card, ...]:
    """List failures, most frequent first."""
    return tuple(
        Card(
            title=kind_words(row.kind),
            kind=row.kind,
            side=names.get(row.arm, row.arm.value),
            arm=row.arm.value,
            count=fmt.plural(row.n, "request") + _elsewhere(row),
            example=one_line(row.example),
            advice=row.advice,
            prompts=row.prompts[:_CARD_PROMPTS],
            n_more_prompts=max(0, len(row.prompts) - _CARD_PROMPTS),
        )
        for row in sorted(rows, key=lambda row: (-row.n, row.kind, row.arm))
    )


def _elsewhere(row: FailureRow) -> str:
    return f", {fmt.count(row.n_other_levels)} at other levels" if row.n_other_levels else ""


def finding_cards(rows: Sequence[FindingRow], names: dict[Arm, str]) -> tuple[Card, ...]:
    """List findings, most frequent first."""
    return tuple(
        Card(
            title=kind_words(row.kind),
            kind=row.kind,
            side=names.get(row.arm, row.arm.value),
            arm=row.arm.value,
            count=fmt.plural(row.n_responses, "response"),
            example=one_line(row.example),
            advice=row.advice,
        )
        for row in sorted(rows, key=lambda row: (-row.n_responses, row.kind, row.arm))
    )


def failure_line(analysis: Analysis) -> str:
    """Count failures of every side in one line."""
    is_alone = analysis.case.candidate is None
    found = [_failed(side, analysis.failures, "" if is_alone else f"{side.arm} ") for side in analysis.economics]
    return " \N{MIDDLE DOT} ".join(found) or "no request was sent"


def _failed(side: Economics, rows: Sequence[FailureRow], name: str) -> str:
    mine = [row for row in rows if row.arm is side.arm]
    kinds = [f"{row.n} {row.kind}" for row in mine[:_KINDS_SHOWN]]
    if rest := sum(row.n for row in mine[_KINDS_SHOWN:]):
        kinds.append(f"{rest} of other kinds")
    if elsewhere := sum(row.n_other_levels for row in mine):
        kinds[-1] += f"; {elsewhere:,} at other levels"
    head = f"{name}{side.n_failed:,} of {side.n_requests:,}"
    return f"{head} ({', '.join(kinds)})" if kinds else head
