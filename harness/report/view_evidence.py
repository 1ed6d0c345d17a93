"""Failures and findings: as text."""

from collections.abc import Sequence

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.evidence import FailureRow, FindingRow
from harness.analysis.results.tokens import Economics
from harness.model.record import Arm
from harness.report import format as fmt
from harness.report.attribution import whose_words
from harness.report.page import Card
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
    "json_answered_with_stream": "A stream, where none was asked for",
    "unstreamed_answer": "Unstreamed: the request fails",
    "unstreamed_tool_calls": "Unstreamed: other tool calls",
    "unstreamed_json": "Unstreamed: another JSON validity",
    "unstreamed_finish_reason": "Unstreamed: another finish reason",
    "unstreamed_prompt_tokens": "Unstreamed: another count of prompt tokens",
    "unstreamed_completion_tokens": "Unstreamed: another count of completion tokens",
    "unstreamed_usage": "Unstreamed: usage in one form only",
    "unstreamed_model": "Unstreamed: another model",
    "invalid_utf8": "Invalid UTF-8",
    "finish_reason_contradicts": "Finish reason contradicts the answer",
    "model_differs": "Another model in the reply",
    "sdk_empty_answer": "OpenAI SDK: sees an empty answer",
    "sdk_exception": "OpenAI SDK: raises on a whole answer",
    "sdk_crash": "OpenAI SDK: crashes",
    "sdk_reports_success": "OpenAI SDK: reports no error",
    "sdk_other_text": "OpenAI SDK: sees another text",
    "sdk_other_calls": "OpenAI SDK: sees other tool calls",
    "sdk_helper_empty_answer": "OpenAI SDK's stream(): sees an empty answer",
    "sdk_helper_exception": "OpenAI SDK's stream(): raises on a whole answer",
    "sdk_helper_crash": "OpenAI SDK's stream(): crashes",
    "sdk_helper_reports_success": "OpenAI SDK's stream(): reports no error",
    "sdk_helper_other_text": "OpenAI SDK's stream(): sees another text",
    "sdk_helper_other_calls": "OpenAI SDK's stream(): sees other tool calls",
}


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
            whose=whose_words(row.kind),
        )
        for row in sorted(rows, key=lambda row: (-row.n, row.kind, row.arm))
    )


def _elsewhere(row: FailureRow) -> str:
    parts = ((row.n_other_levels, "at other levels"), (row.n_follow_ups, "after the levels"))
    return "".join(f", {fmt.count(count)} {where}" for count, where in parts if count)


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
            prompts=row.prompts[:_CARD_PROMPTS],
            n_more_prompts=max(0, len(row.prompts) - _CARD_PROMPTS),
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
    if followed := sum(row.n_follow_ups for row in mine):
        kinds[-1] += f"; {followed:,} after the levels"
    head = f"{name}{side.n_failed:,} of {side.n_requests:,}"
    return f"{head} ({', '.join(kinds)})" if kinds else head
