"""The one table: what goes wrong, and the failure and the findings that it must give."""

from dataclasses import dataclass
from enum import StrEnum

from harness.model.record import FailureKind as F
from harness.model.record import FindingKind as N


class Way(StrEnum):
    """How a row is asked for."""

    RUN = "run"  # a fault of the simulator, through `bench run`
    PLAYED = "played"  # a condition around the request, through the player that `bench run` uses


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that goes wrong, and everything that the record of its request must say of it."""

    name: str  # of the simulator's fault, where it is one
    group: str
    failure: F | None = None
    findings: frozenset[N] = frozenset()
    says: str = ""  # stands in the failure's message
    way: Way = Way.RUN
    effect: str = ""  # of what is no fault of the simulator


def _rows(group: str, *rows: tuple[object, ...], way: Way = Way.RUN) -> tuple[Row, ...]:
    """Read rows of name, failure, findings and text: what the message says, or the effect where it is played."""
    return tuple(_row(group, way, row) for row in rows)


def _row(group: str, way: Way, row: tuple[object, ...]) -> Row:
    name = str(row[0])
    failure = next((cell for cell in row if isinstance(cell, F)), None)
    findings = frozenset(cell for cell in row if isinstance(cell, N))
    says, *effect = [str(cell) for cell in row[1:] if isinstance(cell, str) and not isinstance(cell, F | N)] or [""]
    return Row(name=name, group=group, failure=failure, findings=findings, says=says, way=way, effect="".join(effect))


_LOST = N.CHUNK_FRAMING_LOST

MATRIX: tuple[Row, ...] = (
    *_rows(
        "names, connections, TLS",
        ("dns", F.DNS, "nowhere.invalid", "A host that has no address."),
        ("connect_refused", F.CONNECT, "no connection to the endpoint", "A port on which nobody listens."),
        ("tls_expired", F.TLS, "certificate has expired", "A certificate that has run out."),
        ("tls_other_host", F.TLS, "not valid for '127.0.0.1'", "A certificate for another host."),
        ("tls_self_signed", F.TLS, "self-signed certificate", "A certificate that nobody vouches for."),
        ("tls_only_old", F.TLS, "handshake with 127.0.0.1 failed", "A server that knows TLS 1.1 and older only."),
        ("tls_plain_server", F.TLS, "handshake with 127.0.0.1 failed", "A server that speaks no TLS at all."),
        ("tls_reset", F.TLS, "handshake with 127.0.0.1 failed", "A reset inside the handshake."),
        ("tls_silent", F.TIMEOUT_CONNECT, "shaking hands (TLS)", "Silence inside the handshake."),
        ("tls_cut", F.CUT_OFF, _LOST, "inside the response", "TLS, and a cut after half the events."),
        ("tls_right", "", "A certificate that is trusted: nothing goes wrong."),
        ("tls_unverified", "", "A self-signed certificate under `verify: false`: it answers."),
        way=Way.PLAYED,
    ),
    *_rows(
        "resets and cuts, phase by phase",
        ("refuse_connection", F.RESET_BEFORE_RESPONSE, "was reset"),
        ("reset_before_response", F.RESET_BEFORE_RESPONSE, "was reset"),
        ("cut_in_head", F.RESET_BEFORE_RESPONSE, "closed before the response head was complete"),
        ("reset_in_head", F.RESET_BEFORE_RESPONSE, "was reset"),
        ("cut_after_head", F.CUT_OFF, _LOST, "after 0 bytes of body"),
        ("reset_after_head", F.CUT_OFF, _LOST, "after 0 bytes of body"),
        ("cut_mid_event", F.CUT_OFF, N.UNFINISHED_LAST_EVENT, _LOST),
        ("cut_mid_character", F.CUT_OFF, N.UNFINISHED_LAST_EVENT, _LOST),
        ("cut_between_events", F.CUT_OFF, _LOST),
        ("reset_mid_stream", F.CUT_OFF, _LOST, "was reset"),
        ("reset_after_done",),
        ("close_between_requests",),
        ("unframed_cut", F.TRUNCATED_STREAM),
        ("ends_early", F.TRUNCATED_STREAM),
    ),
    *_rows(
        "resets and cuts, phase by phase",
        ("reset_next_request", F.RESET_BEFORE_RESPONSE, "was reset", "The second request on a kept connection."),
        ("cancelled", F.CANCELLED, _LOST, "the run was stopped", "Ctrl-C while the answer is under way."),
        way=Way.PLAYED,
    ),
    *_rows(
        "silence and pace",
        ("silent", F.TIMEOUT_FIRST_OUTPUT, "0 reads with 0 bytes"),
        ("silent_connection", F.TIMEOUT_FIRST_OUTPUT, "0 reads with 0 bytes"),
        ("silent_after_head", F.TIMEOUT_FIRST_OUTPUT, _LOST, "status 200"),
        ("keepalive_then_stall", F.TIMEOUT_FIRST_OUTPUT, N.COMMENTS, _LOST),
        ("comments_for_ever", F.TIMEOUT_FIRST_OUTPUT, N.COMMENTS, _LOST),
        ("stall", F.TIMEOUT_IDLE, _LOST),
        ("half_then_comments", F.TIMEOUT_IDLE, N.COMMENTS, _LOST),
        ("half_then_empty_deltas", F.TIMEOUT_IDLE, _LOST),
        ("speaks_for_ever", F.TIMEOUT_TOTAL, _LOST),
        ("slow_drip",),
        ("byte_by_byte",),
        ("pause",),
        ("buffered",),
        ("several_events_per_write",),
        ("split_writes",),
        ("hold_after_done",),
    ),
    *_rows(
        "HTTP framing",
        ("malformed_http", F.MALFORMED_HTTP, "broken framing"),
        ("interim_heads",),
        ("interim_only", F.RESET_BEFORE_RESPONSE),
        ("switching_protocols", F.MALFORMED_HTTP, "another protocol"),
        ("no_content_204", F.EMPTY_ANSWER),
        ("large_head",),
        ("huge_head", F.MALFORMED_HTTP, "response head of more than"),
        ("http_10_close",),
        ("unframed_close",),
        ("length_short", F.TRUNCATED_STREAM, N.UNFINISHED_LAST_EVENT),
        ("length_long", F.CUT_OFF, _LOST),
        ("length_not_number", F.MALFORMED_HTTP, "Content-Length"),
        ("length_and_chunks",),
        ("chunk_size_broken", F.MALFORMED_HTTP, _LOST, "chunk size"),
        ("chunk_too_long", F.MALFORMED_HTTP, N.UNFINISHED_LAST_EVENT, _LOST, "chunk data"),
        ("empty_200", F.EMPTY_ANSWER),
    ),
    *_rows(
        "statuses",
        ("http_400_flat", F.BAD_REQUEST, "max_tokens is too large"),
        ("http_400_filtered", F.REFUSED_BY_BUDGET, "filtered"),
        ("http_401", F.AUTHENTICATION),
        ("http_402", F.REFUSED_BY_BUDGET, "budget"),
        ("http_403", F.AUTHENTICATION),
        ("http_404", F.NOT_FOUND),
        ("http_408", F.CONFLICT),
        ("http_409", F.CONFLICT),
        ("http_413", F.BAD_REQUEST),
        ("http_422_detail", F.BAD_REQUEST, "field required"),
        ("http_500", F.SERVER_ERROR),
        ("http_502", F.BAD_GATEWAY),
        ("http_529", F.SERVER_ERROR),
        ("html_error", F.BAD_GATEWAY, "502 Bad Gateway"),
    ),
    *_rows(
        "rate limits",
        ("http_429", F.RATE_LIMITED, "for requests"),
        ("http_429_tokens", F.RATE_LIMITED, "for tokens"),
        ("http_429_capacity", F.RATE_LIMITED, "overloaded"),
        ("http_429_bare", F.RATE_LIMITED, "Too Many Requests"),
        ("http_429_quota_spent", F.REFUSED_BY_BUDGET, "quota"),
    ),
    *_rows(
        "wakes and absent servers",
        ("http_503_loading", F.UNAVAILABLE, "Loading model"),
        ("http_503_bare", F.UNAVAILABLE),
        ("http_503_no_upstream", F.NO_UPSTREAM, "No upstream"),
        ("http_504", F.GATEWAY_TIMEOUT, "wake"),
        ("http_504_bare", F.GATEWAY_TIMEOUT, "upstream request timeout"),
    ),
    *_rows(
        "redirects",
        ("redirect", F.REDIRECT, "302 to another path of the same host: never followed"),
        ("redirect_other_host", F.REDIRECT, "307 to elsewhere.example: never followed"),
        ("redirect_nowhere", F.REDIRECT, "301 to nowhere"),
    ),
    *_rows(
        "compressed bodies",
        ("gzip", N.COMPRESSED),
        ("deflate", N.COMPRESSED),
        ("gzip_buffered", N.COMPRESSED),
        ("gzip_damaged", F.MALFORMED_HTTP, N.COMPRESSED, _LOST, "damaged gzip"),
        ("unknown_coding", F.MALFORMED_HTTP, N.COMPRESSED, _LOST, "content coding br"),
        ("gzip_bomb", F.BODY_TOO_LARGE, N.COMPRESSED, _LOST, "inflates beyond"),
    ),
    *_rows(
        "wrong media types",
        ("html_200", F.NOT_A_COMPLETION),
        ("plain_text_200", F.NOT_A_COMPLETION, "It is Prague"),
        ("other_json_200", F.NOT_A_COMPLETION, N.STREAM_ANSWERED_WITH_JSON),
        ("json_lines", F.NOT_A_COMPLETION, N.STREAM_ANSWERED_WITH_JSON),
        ("json_error_200", F.ERROR_IN_STREAM, N.STREAM_ANSWERED_WITH_JSON, "overloaded"),
        ("json_for_stream", N.STREAM_ANSWERED_WITH_JSON),
        ("json_typed_as_stream", N.STREAM_ANSWERED_WITH_JSON),
        ("stream_typed_as_json",),
        ("stream_typed_as_text",),
    ),
    *_rows(
        "wrong media types",
        (
            "stream_for_json",
            N.JSON_ANSWERED_WITH_STREAM,
            N.USAGE_ON_CHOICE_CHUNK,
            "",
            "A stream where none was asked for.",
        ),
        way=Way.PLAYED,
    ),
    *_rows(
        "errors inside a 200",
        ("error_before_output", F.ERROR_IN_STREAM, "Out of memory"),
        ("error_in_stream", F.ERROR_IN_STREAM, "The engine died"),
        ("error_in_stream_flat", F.ERROR_IN_STREAM, "The engine died"),
        ("error_field_in_stream", F.ERROR_IN_STREAM, N.NONSTANDARD_ERROR_FIELD, "The engine died"),
        ("error_event_in_stream", F.ERROR_IN_STREAM, "The engine died"),
        ("error_of_filter", F.REFUSED_BY_BUDGET, "filter"),
        ("finish_reason_error", F.ERROR_IN_STREAM, N.FINISH_REASON_UNKNOWN),
        ("filtered", F.REFUSED_BY_BUDGET, "content_filter"),
        ("empty_stream", F.EMPTY_ANSWER),
    ),
    *_rows(
        "events",
        ("comments", N.COMMENTS),
        ("empty_data_events", N.EMPTY_DATA),
        ("invalid_json_event", N.UNDECODABLE_EVENT),
        ("invalid_utf8", N.INVALID_UTF8),
        ("bom", N.BYTE_ORDER_MARK),
        ("crlf",),
        ("no_space_after_data",),
        ("no_done", N.NO_DONE),
        ("bytes_after_done", N.BYTES_AFTER_DONE),
        ("unfinished_last_event", N.UNFINISHED_LAST_EVENT),
    ),
    *_rows(
        "chunks",
        ("choice_without_delta", N.CHOICE_WITHOUT_DELTA),
        ("empty_choices", N.EMPTY_CHOICES),
        ("several_choices", N.SEVERAL_CHOICES),
        ("choice_index_text", N.INDEX_NOT_NUMBER),
        ("model_other", N.MODEL_DIFFERS),
        ("leaked_markup", N.LEAKED_MARKUP),
        ("reasoning_field", N.REASONING_FIELD),
        ("duplicate_finish", N.FINISH_REASON_REPEATED),
        ("finish_reason_empty", N.FINISH_REASON_EMPTY),
        ("unknown_finish_reason", N.FINISH_REASON_UNKNOWN),
        ("finish_reason_contradicts", N.FINISH_REASON_CONTRADICTS),
        ("no_finish_reason",),
    ),
    *_rows(
        "tool calls",
        ("tool_index_missing", N.TOOL_INDEX_MISSING),
        ("tool_index_repeated", N.TOOL_INDEX_REUSED),
        ("tool_id_missing", N.TOOL_ID_MISSING),
        ("tool_name_in_parts", N.TOOL_NAME_IN_PARTS),
        ("legacy_call_repeats", N.LEGACY_CALL_REPEATS),
        ("tool_calls_as_object", N.TOOL_CALLS_NOT_LIST),
        ("arguments_as_object", N.TOOL_ARGUMENTS_NOT_TEXT),
    ),
    *_rows(
        "lies in usage",
        ("usage_wrong",),
        ("usage_missing", N.USAGE_MISSING, N.EMPTY_CHOICES),
        ("usage_zeroed", N.USAGE_ZEROED),
        ("usage_inconsistent", N.USAGE_INCONSISTENT),
        ("usage_elsewhere", N.USAGE_ELSEWHERE),
        ("usage_on_finish", N.USAGE_ON_CHOICE_CHUNK),
        ("usage_in_every_chunk", N.USAGE_IN_EVERY_CHUNK),
        ("usage_grows_silently", N.USAGE_IN_EVERY_CHUNK, N.USAGE_GROWS_SILENTLY),
        ("hidden_reasoning", N.HIDDEN_REASONING),
    ),
)
ROWS = {row.name: row for row in MATRIX}
IN_RUN = tuple(row.name for row in MATRIX if row.way is Way.RUN)
PLAYED = tuple(row.name for row in MATRIX if row.way is Way.PLAYED)

# Why a row without failure and findings has none: the record of one request cannot know.
SEEN_IN = {
    "slow_drip": "the decode rate",
    "byte_by_byte": "nowhere: TCP allows it",
    "pause": "the gaps and stalls",
    "buffered": "the streaming checks",
    "several_events_per_write": "the events of each read",
    "split_writes": "nowhere: TCP allows it",
    "hold_after_done": "nowhere: the contract ends at [DONE]",
    "close_between_requests": "the connections opened",
    "reset_after_done": "nowhere: the contract ends at [DONE]",
    "interim_heads": "nowhere: HTTP allows it",
    "large_head": "nowhere: HTTP allows it",
    "http_10_close": "the connections opened",
    "unframed_close": "the connections opened",
    "length_and_chunks": "nowhere: clients take the chunks",
    "stream_typed_as_json": "nowhere: clients go by the body",
    "stream_typed_as_text": "nowhere: clients go by the body",
    "crlf": "nowhere: SSE allows it",
    "no_space_after_data": "nowhere: SSE allows it",
    "no_finish_reason": "nowhere: [DONE] stands for it",
    "usage_wrong": "the token count of our own tokenizer",
    "tls_right": "nowhere: nothing is wrong",
    "tls_unverified": "the warning in every output",
}
