"""What was odd about one side's responses, by kind, with what it means for an application."""

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.analysis.buffering import likely_cause
from harness.analysis.results.evidence import FindingRow
from harness.analysis.trials import JudgedRecord
from harness.analysis.words import percent
from harness.model.record import Arm, FindingKind, Record

SYNTHETIC_STREAMING = "synthetic_streaming"
_SYNTHETIC_ADVICE = (
    "The answer was held back and then sent in bursts: decode rates are withheld, and TTFT is the time to the burst. "
    "Turn off response buffering (proxy_buffering), compression or the server's own batching of output."
)
LATE_READING = "late_reading"
_LATE_ADVICE = (
    "Output came in bursts, as if it had been held back. {share} of this side's output events were merged because this "
    "client read late, which looks the same: nothing is said of the endpoint. Measure again with less other work on "
    "this machine."
)
FINDING_ADVICE: Mapping[FindingKind, str] = {
    FindingKind.COMMENTS: "Legal in server-sent events: a parser must skip lines that begin with a colon.",
    FindingKind.EMPTY_DATA: "Legal, but some SDKs raise on an event without data: skip it.",
    FindingKind.BYTE_ORDER_MARK: "The official SDK loses the first event after a byte order mark: ask for it to go.",
    FindingKind.NO_DONE: "A client that waits for [DONE] may hang or raise: end on finish_reason and the close.",
    FindingKind.BYTES_AFTER_DONE: "Stop reading at [DONE]; what follows belongs to no answer.",
    FindingKind.UNFINISHED_LAST_EVENT: "Most parsers drop an event without its closing blank line: here, the last one.",
    FindingKind.NONSTANDARD_ERROR_FIELD: "The SDK ignores a field `error:` and gives an empty answer: look for it.",
    FindingKind.STREAM_ANSWERED_WITH_JSON: "stream: true was ignored; the SDK's stream is then empty, without error.",
    FindingKind.JSON_ANSWERED_WITH_STREAM: "stream: false was ignored; code that reads one JSON body fails here.",
    FindingKind.COMPRESSED: "Compression may hold a stream back although identity was asked for: turn it off for it.",
    FindingKind.UNDECODABLE_EVENT: "An event is not the JSON that the contract names: read the recorded bytes.",
    FindingKind.INVALID_UTF8: "Bytes that are not UTF-8, often a character cut in two: text will show U+FFFD.",
    FindingKind.CHOICE_WITHOUT_DELTA: "The SDK's chat.completions.stream() crashes on it: guard for it.",
    FindingKind.EMPTY_CHOICES: "Code that reads choices[0] of every chunk fails here: check for an empty list.",
    FindingKind.USAGE_ON_CHOICE_CHUNK: "Usage comes beside a choice: do not look for it in a last, empty chunk only.",
    FindingKind.USAGE_IN_EVERY_CHUNK: "Take usage from the last chunk that has it; never add it up.",
    FindingKind.USAGE_ELSEWHERE: "Usage stands outside its place: accounting that reads `usage` sees none.",
    FindingKind.USAGE_MISSING: "No usage although it was asked for: no decode rate and no cost can be stated.",
    FindingKind.USAGE_ZEROED: "A last usage of zeros came behind the real one: keep the last that counts anything.",
    FindingKind.USAGE_INCONSISTENT: "The token counts contradict each other: do not bill or publish from them.",
    FindingKind.FINISH_REASON_REPEATED: "finish_reason came more than once: the last one counts.",
    FindingKind.FINISH_REASON_EMPTY: "An empty finish_reason is no end: test for a value, not for the key.",
    FindingKind.FINISH_REASON_UNKNOWN: "A finish_reason outside the contract: treat unknown values as an end.",
    FindingKind.FINISH_REASON_CONTRADICTS: "Judge by the tool calls that are there, not by finish_reason.",
    FindingKind.USAGE_GROWS_SILENTLY: "A parser holds tokens back that usage counts: output then comes in bursts.",
    FindingKind.TOOL_INDEX_MISSING: "The SDK's chat.completions.stream() crashes on it: assemble by id.",
    FindingKind.TOOL_INDEX_REUSED: "Two calls share an index: assemblers that key on it alone join them into one.",
    FindingKind.INDEX_NOT_NUMBER: "An index came as text: code that compares it with a number loses the fragment.",
    FindingKind.TOOL_NAME_IN_PARTS: "A call's name came in parts: assemblers that keep the first or the last lose it.",
    FindingKind.TOOL_ARGUMENTS_NOT_TEXT: "Arguments came as an object: code that parses a string fails here.",
    FindingKind.TOOL_CALLS_NOT_LIST: "tool_calls is no list: code that walks it fails here.",
    FindingKind.LEGACY_CALL_REPEATS: "One call came in both forms: an application that runs both runs it twice.",
    FindingKind.TOOL_ID_MISSING: "A tool result has no id to answer to: the second turn of a loop may be refused.",
    FindingKind.LEAKED_MARKUP: "Model markup stands in the visible text: check the server's tool or reasoning parser.",
    FindingKind.REASONING_FIELD: "Reasoning comes in this field: read the field that this endpoint uses.",
    FindingKind.HIDDEN_REASONING: "Tokens are billed that no chunk carried: no decode rate can be stated.",
    FindingKind.MODEL_DIFFERS: "The reply names another model than was asked for: an alias, or a replacement.",
    FindingKind.SEVERAL_CHOICES: "More than one choice came: only the first is judged.",
    FindingKind.CHUNK_FRAMING_LOST: "The HTTP framing broke: a gateway or server closed too early.",
}
_NAMING = frozenset({FindingKind.REASONING_FIELD, FindingKind.FINISH_REASON_UNKNOWN, FindingKind.MODEL_DIFFERS})
_NAMES_SHOWN = 3


def finding_rows(
    arm: Arm, judged: Sequence[JudgedRecord], followed: Sequence[Record] = (), *, late_share: float | None = None
) -> tuple[FindingRow, ...]:
    """Give a row per kind of finding, most frequent first; warm-ups, every level of load and follow-ups count.

    `late_share` is the fraction of output events that our own late reading merged; None: not known.
    """
    by_kind: dict[FindingKind, list[str]] = {}
    responses: dict[FindingKind, int] = {}
    prompts: dict[FindingKind, Counter[str]] = {}
    for record in (*(item.record for item in judged), *followed):
        for kind in {finding.kind for finding in record.findings}:
            responses[kind] = responses.get(kind, 0) + 1
            prompts.setdefault(kind, Counter())[record.key.prompt_id] += 1
        for finding in record.findings:
            by_kind.setdefault(finding.kind, []).append(finding.detail)
    rows = [
        FindingRow(
            arm=arm,
            kind=kind.value,
            n_responses=responses[kind],
            example=_example(kind, details),
            advice=FINDING_ADVICE[kind],
            prompts=tuple(prompt_id for prompt_id, _ in prompts[kind].most_common()),
        )
        for kind, details in by_kind.items()
    ]
    return tuple(sorted(rows + _bursts(arm, judged, late_share or 0.0), key=lambda row: (-row.n_responses, row.kind)))


def _bursts(arm: Arm, judged: Sequence[JudgedRecord], late_share: float) -> list[FindingRow]:
    """Name buffered streams, seen from many responses: the endpoint's, unless our late reading explains as many."""
    buffered = [item.record for item in judged if item.is_buffered]
    if not buffered:
        return []
    n_events = sum(len(item.record.arrivals.read) for item in judged)
    is_ours = sum(len(record.arrivals.read) for record in buffered) <= late_share * n_events
    return [
        FindingRow(
            arm=arm,
            kind=LATE_READING if is_ours else SYNTHETIC_STREAMING,
            n_responses=len(buffered),
            example="" if is_ours else f"likely cause: {likely_cause(buffered[0])}",
            advice=_LATE_ADVICE.format(share=percent(late_share)) if is_ours else _SYNTHETIC_ADVICE,
            prompts=tuple(dict.fromkeys(record.key.prompt_id for record in buffered)),
        )
    ]


def _example(kind: FindingKind, details: Sequence[str]) -> str:
    """Give the first detail; the first few distinct ones where a detail is a name."""
    distinct = list(dict.fromkeys(filter(None, details)))
    return "; ".join(distinct[: _NAMES_SHOWN if kind in _NAMING else 1])
