"""Where an application on the official SDK would have seen something else than what came off the wire.

The first response to each prompt is replayed through both ways of streaming that the SDK has: iterating over
`chat.completions.create(stream=True)`, and the helper `chat.completions.stream()`. What only the helper does is said
apart.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from harness.analysis.results.answers import SdkRow
from harness.analysis.results.case import Side
from harness.analysis.results.evidence import FindingRow
from harness.decode.sdk_view import SdkView
from harness.model.record import Record, RequestKey, ToolCall

PLAIN, HELPER = "create(stream=True)", "stream()"
OUTCOMES = ("answer", "empty", "exception", "crash")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Disagreement:
    kind: str
    example: str
    prompt_id: str


SDK_ADVICE: Mapping[str, str] = {
    "sdk_empty_answer": "The SDK's stream hands over nothing and raises nothing: test for an empty answer.",
    "sdk_exception": "The SDK raises one of its own errors although the answer came whole: catch it, or ask why.",
    "sdk_crash": "The SDK fails with an error that is not its own: `except openai.OpenAIError` does not catch it.",
    "sdk_reports_success": "The SDK ends without an error where the request failed: test finish_reason yourself.",
    "sdk_other_text": "The SDK hands over another text than the stream holds: read the recorded bytes.",
    "sdk_other_calls": "Calls put together by index differ from those in the stream: put them together by id as well.",
}
HELPER_ADVICE = "Only `chat.completions.stream()` does this: iterate over `create(stream=True)` instead."


def sdk_rows(side: Side) -> tuple[SdkRow, ...]:
    """Count what an application would have seen, a row per way; none where nothing was replayed."""
    ways = {PLAIN: side.sdk_views, HELPER: side.sdk_helper_views}
    return tuple(
        SdkRow(
            arm=side.arm,
            way=way,
            outcomes=_counted(views),
            n_differing=len(_disagreements(side, views)),
        )
        for way, views in ways.items()
        if views
    )


def _counted(views: Mapping[RequestKey, SdkView]) -> dict[str, int]:
    counts: Counter[str] = Counter(view.outcome for view in views.values())
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def sdk_findings(side: Side) -> tuple[FindingRow, ...]:
    """Give a row per kind of disagreement over the responses that were replayed through the SDK."""
    n_replayed = len(side.sdk_views or side.sdk_helper_views)
    plain = _disagreements(side, side.sdk_views)
    found: dict[str, list[_Disagreement]] = {}
    for disagreement in (*plain.values(), *_of_helper_alone(side, plain)):
        found.setdefault(disagreement.kind, []).append(disagreement)
    return tuple(
        FindingRow(
            arm=side.arm,
            kind=kind,
            n_responses=len(those),
            example=f"{those[0].example}; of {n_replayed} replayed, the first of each prompt",
            advice=SDK_ADVICE.get(kind, HELPER_ADVICE),
            prompts=tuple(dict.fromkeys(one.prompt_id for one in those)),
        )
        for kind, those in sorted(found.items())
    )


def _first_attempts(side: Side) -> dict[RequestKey, Record]:
    return {record.key: record for record in side.records if record.attempt == 1}


def _disagreements(side: Side, views: Mapping[RequestKey, SdkView]) -> dict[RequestKey, _Disagreement]:
    records = _first_attempts(side)
    found = {key: _compare(key, records[key], view) for key, view in views.items() if key in records}
    return {key: disagreement for key, disagreement in found.items() if disagreement is not None}


def _of_helper_alone(side: Side, plain: Mapping[RequestKey, _Disagreement]) -> Iterator[_Disagreement]:
    """Name what the helper does wrong where iterating over the plain stream does not go wrong the same way."""
    for key, disagreement in _disagreements(side, side.sdk_helper_views).items():
        if key not in plain or plain[key].kind != disagreement.kind:
            kind = disagreement.kind.replace("sdk_", "sdk_helper_", 1)
            yield replace(disagreement, kind=kind)


def _compare(key: RequestKey, record: Record, view: SdkView) -> _Disagreement | None:
    if record.failure is not None:
        return _of_a_failure(key, record, view)
    if view.outcome in {"exception", "crash"}:
        raised = f"{view.exception_type}: {view.exception_message}"
        return _Disagreement(kind=f"sdk_{view.outcome}", example=f"{key.prompt_id}: {raised}", prompt_id=key.prompt_id)
    has_answer = bool(record.answer.text or record.answer.tool_calls)
    if view.outcome == "empty" and has_answer:
        return _Disagreement(kind="sdk_empty_answer", example=key.prompt_id, prompt_id=key.prompt_id)
    if view.text != record.answer.text:
        return _Disagreement(kind="sdk_other_text", example=key.prompt_id, prompt_id=key.prompt_id)
    return _of_calls(key, record.answer.tool_calls, view.tool_calls)


def _of_calls(key: RequestKey, came: tuple[ToolCall, ...], seen: tuple[ToolCall, ...]) -> _Disagreement | None:
    if [_said(call) for call in came] == [_said(call) for call in seen]:
        return None
    example = f"{key.prompt_id}: {_listed(seen)} where the stream holds {_listed(came)}"
    return _Disagreement(kind="sdk_other_calls", example=example, prompt_id=key.prompt_id)


def _said(call: ToolCall) -> tuple[str | None, str]:
    return call.name, call.arguments


def _listed(calls: tuple[ToolCall, ...]) -> str:
    return ", ".join(f"{call.name or '?'}({call.arguments[:60]})" for call in calls) or "no call"


def _of_a_failure(key: RequestKey, record: Record, view: SdkView) -> _Disagreement | None:
    """A transport failure is ours to see: the replayed bytes end where the connection did."""
    if record.failure is None or view.outcome in {"exception", "crash"}:
        return None
    seen = "an empty answer" if view.outcome == "empty" else f"{len(view.text)} characters"
    return _Disagreement(
        kind="sdk_reports_success",
        example=f"{key.prompt_id}: {record.failure.kind}, the SDK gives {seen}",
        prompt_id=key.prompt_id,
    )
