"""Where an application on the official SDK would have seen something else than what came off the wire."""

from collections.abc import Mapping
from dataclasses import dataclass

from harness.analysis.results import FindingRow, Side
from harness.decode.sdk_view import SdkView
from harness.model.record import Record, RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disagreement:
    kind: str
    example: str


SDK_ADVICE: Mapping[str, str] = {
    "sdk_empty_answer": "The SDK's stream hands over nothing and raises nothing: test for an empty answer.",
    "sdk_exception": "The SDK raises one of its own errors although the answer came whole: catch it, or ask why.",
    "sdk_crash": "The SDK fails with an error that is not its own: `except openai.OpenAIError` does not catch it.",
    "sdk_reports_success": "The SDK ends without an error where the request failed: test finish_reason yourself.",
    "sdk_other_text": "The SDK hands over another text than the stream holds: read the recorded bytes.",
}


def sdk_rows(side: Side) -> tuple[FindingRow, ...]:
    """Give a row per kind of disagreement over the responses that were replayed through the SDK."""
    records = {record.key: record for record in side.records if record.attempt == 1}
    found: dict[str, list[str]] = {}
    for key, view in side.sdk_views.items():
        disagreement = _compare(key, records[key], view) if key in records else None
        if disagreement is not None:
            found.setdefault(disagreement.kind, []).append(disagreement.example)
    return tuple(
        FindingRow(
            arm=side.arm,
            kind=kind,
            n_responses=len(examples),
            example=f"{examples[0]}; of {len(side.sdk_views)} replayed, the first of each prompt",
            advice=SDK_ADVICE[kind],
        )
        for kind, examples in sorted(found.items())
    )


def _compare(key: RequestKey, record: Record, view: SdkView) -> _Disagreement | None:
    if record.failure is not None:
        return _of_a_failure(key, record, view)
    if view.outcome in {"exception", "crash"}:
        raised = f"{view.exception_type}: {view.exception_message}"
        return _Disagreement(kind=f"sdk_{view.outcome}", example=f"{key.prompt_id}: {raised}")
    has_answer = bool(record.answer.text or record.answer.tool_calls)
    if view.outcome == "empty" and has_answer:
        return _Disagreement(kind="sdk_empty_answer", example=key.prompt_id)
    if view.text != record.answer.text:
        return _Disagreement(kind="sdk_other_text", example=key.prompt_id)
    return None


def _of_a_failure(key: RequestKey, record: Record, view: SdkView) -> _Disagreement | None:
    """A transport failure is ours to see: the replayed bytes end where the connection did."""
    if record.failure is None or view.outcome in {"exception", "crash"}:
        return None
    seen = "an empty answer" if view.outcome == "empty" else f"{len(view.text)} characters"
    return _Disagreement(
        kind="sdk_reports_success", example=f"{key.prompt_id}: {record.failure.kind}, the SDK gives {seen}"
    )
