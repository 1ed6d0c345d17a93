"""The records of a run: what was planned, what came off the wire, what it decodes to; nothing derived."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Arm(StrEnum):
    """A side of a run."""

    REFERENCE = "reference"
    CANDIDATE = "candidate"
    PLACEBO = "placebo"


class FailureKind(StrEnum):
    """The closed set of ways in which a request fails."""

    DNS = "dns"
    CONNECT = "connect"
    TLS = "tls"
    RESET_BEFORE_RESPONSE = "reset_before_response"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_FIRST_OUTPUT = "timeout_first_output"
    TIMEOUT_IDLE = "timeout_idle"
    TIMEOUT_TOTAL = "timeout_total"
    MALFORMED_HTTP = "malformed_http"
    BODY_TOO_LARGE = "body_too_large"
    CUT_OFF = "cut_off"  # the connection ended inside the response
    REDIRECT = "redirect"  # never followed with credentials
    AUTHENTICATION = "authentication"  # 401, 403
    NOT_FOUND = "not_found"  # 404
    CONFLICT = "conflict"  # 408, 409
    RATE_LIMITED = "rate_limited"  # 429
    BAD_REQUEST = "bad_request"  # any other 4xx
    SERVER_ERROR = "server_error"  # 500 and unnamed 5xx
    BAD_GATEWAY = "bad_gateway"  # 502
    UNAVAILABLE = "unavailable"  # 503
    NO_UPSTREAM = "no_upstream"  # 503 that says so: configuration
    GATEWAY_TIMEOUT = "gateway_timeout"  # 504
    ERROR_IN_STREAM = "error_in_stream"  # an error inside a 200
    TRUNCATED_STREAM = "truncated_stream"  # ended without finish_reason and without [DONE]
    NOT_A_COMPLETION = "not_a_completion"  # a 200 that is neither SSE nor a completion
    EMPTY_ANSWER = "empty_answer"  # a complete 200 without any output
    REFUSED_BY_BUDGET = "refused_by_budget"  # a gateway's budget or content filter
    CANCELLED = "cancelled"  # by our user


TIMEOUT_KINDS = frozenset(
    {
        FailureKind.TIMEOUT_CONNECT,
        FailureKind.TIMEOUT_FIRST_OUTPUT,
        FailureKind.TIMEOUT_IDLE,
        FailureKind.TIMEOUT_TOTAL,
    }
)


class StampSource(StrEnum):
    """Where a read's instant comes from."""

    KERNEL = "kernel"  # the kernel's receive time of the read's last segment
    USER = "user"  # the monotonic clock right after the read


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a request failed, with the evidence that fits in a line."""

    kind: FailureKind
    message: str
    code: str | None = None  # the server's own code, where it gave one
    error_type: str | None = None  # the server's own type
    shape: str | None = None  # openai, flat, detail, string, message, html, empty, other


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How the connection came about; the durations are None on a kept connection."""

    reused: bool
    is_preopened: bool = False  # opened before the measured window; its durations are those of that opening
    dns_ns: int | None = None
    tcp_ns: int | None = None
    tls_ns: int | None = None
    peer: str | None = None
    local_port: int | None = None
    tls_version: str | None = None

    @property
    def opening_ns(self) -> int:
        """Give what the phases that there were took together."""
        return sum(part or 0 for part in (self.dns_ns, self.tcp_ns, self.tls_ns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """Every socket read of a response, as columns of equal length."""

    at_ns: tuple[int, ...] = ()  # receive instant, mapped to the monotonic clock
    seen_at_ns: tuple[int, ...] = ()  # when our code had the bytes
    n_bytes: tuple[int, ...] = ()  # bytes added to the flight recorder by this read
    source: str = ""  # one letter per read: k kernel, u user


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """Which logical request of a plan this is."""

    arm: Arm
    prompt_id: str
    repeat: int  # 0-based within the prompt; warm-ups count apart
    is_warmup: bool = False
    level: int = 0  # position in the plan's load; the first level is the one that is judged
    turn: int = 1  # 2: the second request of a tool loop, which brings what the tools returned
    is_streamed: bool = True  # whether a stream was asked for

    @property
    def id(self) -> str:
        """Readable identity, unique within a run."""
        kind = "w" if self.is_warmup else "r"
        level = f"l{self.level}" if self.level else ""
        turn = f"/t{self.turn}" if self.turn > 1 else ""
        whole = "" if self.is_streamed else "/whole"
        return f"{self.arm}/{self.prompt_id}/{level}{kind}{self.repeat}{turn}{whole}"

    @property
    def is_follow_up(self) -> bool:
        """Whether it was sent after the measured levels, untimed: no trial of its own."""
        return self.turn > 1 or not self.is_streamed


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try on the wire: a line of attempts.jsonl."""

    key: RequestKey
    attempt: int  # 1-based
    block: int  # position in the schedule
    part: int = 0  # of its run: instants of different parts do not compare
    is_possibly_cold: bool = False
    request_sha256: str  # of method, target and body, credentials left out
    request_bytes: int
    intended_at_ns: int  # the schedule's instant; in a closed loop when a slot was free and the plan allowed it
    claimed_at_ns: int | None = None  # a slot was got and the quota asked; None: not recorded
    admitted_at_ns: int | None = None  # quota and concurrency slot got
    sent_at_ns: int | None = None  # right before the call that handed the kernel the request's last byte
    ended_at_ns: int | None = None  # last byte read, or the failure
    connection: Connection | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)  # by allow-list, lower-case names
    reads: Reads = Reads()
    offset: int = 0  # of the response's wire bytes in streams.bin
    length: int = 0
    crc32: int | None = None  # of those bytes, as zlib counts it; None: not recorded
    failure: Failure | None = None  # transport only; what the body says is decoded later


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Every event that carried output, as columns of equal length."""

    at_ns: tuple[int, ...] = ()
    read: tuple[int, ...] = ()  # index of the read that completed the event
    content_chars: tuple[int, ...] = ()
    reasoning_chars: tuple[int, ...] = ()
    tool_chars: tuple[int, ...] = ()  # of names and arguments; refusal and audio count as content


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool call as assembled from the stream; arguments stay text until judged."""

    name: str | None
    arguments: str
    id: str | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the endpoint said; empty channels are empty text, not None."""

    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None  # last non-empty value, as sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """The last non-null usage as reported; a field is None when the server did not say."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    first_chunk_tokens: int | None = None  # of the first output chunk, from continuous usage


class FindingKind(StrEnum):
    """What a decoder may notice; the number in a comment is the deviation's in docs/streams.md."""

    COMMENTS = "comments"  # 1
    EMPTY_DATA = "empty_data"  # 2
    BYTE_ORDER_MARK = "byte_order_mark"  # 3
    NO_DONE = "no_done"  # 4
    BYTES_AFTER_DONE = "bytes_after_done"  # 5
    UNFINISHED_LAST_EVENT = "unfinished_last_event"
    NONSTANDARD_ERROR_FIELD = "nonstandard_error_field"  # 6
    STREAM_ANSWERED_WITH_JSON = "stream_answered_with_json"  # 7
    JSON_ANSWERED_WITH_STREAM = "json_answered_with_stream"  # 7, where no stream was asked for
    COMPRESSED = "compressed"  # 8
    UNDECODABLE_EVENT = "undecodable_event"
    INVALID_UTF8 = "invalid_utf8"
    CHOICE_WITHOUT_DELTA = "choice_without_delta"  # 10
    EMPTY_CHOICES = "empty_choices"  # 10, other than the usage chunk
    USAGE_ON_CHOICE_CHUNK = "usage_on_choice_chunk"  # 11
    USAGE_IN_EVERY_CHUNK = "usage_in_every_chunk"  # 11
    USAGE_ELSEWHERE = "usage_elsewhere"  # 11, e.g. x_groq
    USAGE_MISSING = "usage_missing"  # 11
    USAGE_ZEROED = "usage_zeroed"  # 11, zeros behind real counts
    USAGE_INCONSISTENT = "usage_inconsistent"  # total is not prompt + completion, a part more than its whole
    FINISH_REASON_REPEATED = "finish_reason_repeated"  # 13
    FINISH_REASON_EMPTY = "finish_reason_empty"  # 13
    FINISH_REASON_UNKNOWN = "finish_reason_unknown"  # 13
    FINISH_REASON_CONTRADICTS = "finish_reason_contradicts"  # 14
    USAGE_GROWS_SILENTLY = "usage_grows_silently"  # 15
    TOOL_INDEX_MISSING = "tool_index_missing"  # 16
    TOOL_INDEX_REUSED = "tool_index_reused"  # 16
    INDEX_NOT_NUMBER = "index_not_number"  # 16, digits as text; of a choice, too
    TOOL_NAME_IN_PARTS = "tool_name_in_parts"  # 17
    TOOL_ARGUMENTS_NOT_TEXT = "tool_arguments_not_text"  # 17
    TOOL_CALLS_NOT_LIST = "tool_calls_not_list"  # 17
    LEGACY_CALL_REPEATS = "legacy_call_repeats"  # 17, function_call beside tool_calls
    TOOL_ID_MISSING = "tool_id_missing"  # 18
    LEAKED_MARKUP = "leaked_markup"  # 19
    REASONING_FIELD = "reasoning_field"  # 22, detail names the field
    HIDDEN_REASONING = "hidden_reasoning"  # 23
    MODEL_DIFFERS = "model_differs"
    SEVERAL_CHOICES = "several_choices"
    CHUNK_FRAMING_LOST = "chunk_framing_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A typed observation about one response; `detail` is one line of evidence."""

    kind: FindingKind
    detail: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamps:
    """Instants of one request on the run's monotonic clock; None when it did not happen."""

    intended_at_ns: int
    claimed_at_ns: int | None = None
    admitted_at_ns: int | None = None
    sent_at_ns: int | None = None
    headers_at_ns: int | None = None  # read that completed the response head
    event_1_at_ns: int | None = None  # first SSE event of any kind
    token_1_at_ns: int | None = None  # first event with output, any channel
    answer_1_at_ns: int | None = None  # first visible answer: content, refusal, tool call
    token_n_at_ns: int | None = None  # last event with output
    finish_at_ns: int | None = None
    usage_at_ns: int | None = None
    done_at_ns: int | None = None
    ended_at_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One attempt, decoded: a line of records.jsonl."""

    key: RequestKey
    attempt: int
    block: int
    part: int = 0  # of its run; all parts' instants are on one time line
    is_possibly_cold: bool = False
    stamps: Stamps
    connection: Connection | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    was_streamed: bool = True  # the reply was SSE
    response_id: str | None = None
    model_reported: str | None = None
    system_fingerprint: str | None = None
    answer: Answer = Answer()
    usage: Usage | None = None
    arrivals: Arrivals = Arrivals()
    reads: Reads = Reads()  # copied from the attempt: the instrument's evidence
    n_events: int = 0
    findings: tuple[Finding, ...] = ()
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmHeader:
    """An arm of a run: its endpoint as resolved, secrets left out."""

    arm: Arm
    endpoint: dict[str, Any]  # the endpoint file's content; the key stays a reference
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One position of the schedule: a prompt's repeat at one level of load, sent by every arm in the same window."""

    index: int
    prompt_id: str
    repeat: int
    first: Arm  # which arm goes first when both are free
    is_warmup: bool = False
    level: int = 0  # position in the plan's load
    due_ns: int | None = None  # open loop: the intended instant, counted from the start of its level


@dataclass(frozen=True, slots=True, kw_only=True)
class Demotion:
    """A gate that cannot pass at its n and was made informative before the first request."""

    gate: str
    n: int
    needed: int
    reason: str


class Arrival(StrEnum):
    """What decides when a request is due."""

    CLOSED = "closed"  # the end of another: a fixed number in flight
    CONSTANT = "constant"  # open loop, at equal distances
    POISSON = "poisson"  # open loop, at random and independent of each other


class LookScheme(StrEnum):
    """How often the verdict may be asked for before it is only exploratory."""

    SINGLE = "single"  # once
    TWO = "two"  # once, and once more after further repeats
    SEQUENTIAL = "sequential"  # after 3, 5 and 10 repeats, and then no more than needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """The planned looks at the data: each has its own share of the error rate."""

    scheme: LookScheme = LookScheme.SINGLE
    alphas: tuple[float, ...] = (0.05,)  # one-sided, a planned look each; a later look is exploratory
    repeats: tuple[int, ...] = ()  # of a prompt without its own number at each look; empty: only the first is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything fixed before the first request; its digest is the pre-registration."""

    seed: int
    look_ahead: int
    repeats: dict[str, int]  # by prompt
    blocks: tuple[Block, ...]
    settings: dict[str, Any]  # plan, margins and validity limits as resolved
    golden_sha256: str
    estimators: str  # version of the statistical definitions
    demotions: tuple[Demotion, ...] = ()
    arrival: Arrival = Arrival.CLOSED
    load: tuple[float, ...] = ()  # per level and side: requests in flight, or per second in an open loop
    looks: Looks = Looks()


class RunStatus(StrEnum):
    """How far a run got."""

    RUNNING = "running"
    FINISHED = "finished"
    INTERRUPTED = "interrupted"
    STOPPED = "stopped"  # by a budget or a dead endpoint


# Format history of a run folder. 1: first version.
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LoopLag:
    """How late a loop got round to a timer that asks for nothing else, at one level of load."""

    level: int
    p50_ns: int
    p99_ns: int
    max_ns: int
    n_ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFacts:
    """What one measuring process says of itself over the load part of a run, warm-up left out."""

    arms: tuple[Arm, ...]
    part: int = 0  # of the run
    worker: int = 0  # position among the processes of the same arms
    loop: str  # uvloop or asyncio
    started_at_ns: int  # monotonic: the first level's start
    ended_at_ns: int
    cpu_ns: int  # of the whole process, user and system
    loop_lag_p50_ns: int | None = None  # lateness of a timer that asks for nothing else
    loop_lag_p99_ns: int | None = None
    loop_lag_max_ns: int | None = None
    n_loop_ticks: int = 0
    loop_lags: tuple[LoopLag, ...] = ()  # by level, where it had a tick
    most_open_connections: int = 0
    n_files_allowed: int | None = None  # file descriptors


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one command did for a run: from the start, or from where it resumed, to its end."""

    started_at: str  # ISO 8601, UTC
    ended_at: str | None = None  # None: it goes on, or its process ended without a word
    status: RunStatus = RunStatus.RUNNING
    status_reason: str | None = None
    command: str
    plan_sha256: str  # of the plan that it followed
    look: int = 1  # the planned look that it measured for: 2 once the plan was extended
    provenance: dict[str, Any] = field(default_factory=dict)
    clock: dict[str, Any] = field(default_factory=dict)  # by arm, as in the header
    client: tuple[ClientFacts, ...] = ()
    notes: tuple[str, ...] = ()  # what the journal had lost before it


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeader:
    """run.json: identity, plan, configuration and provenance of one run."""

    format_version: int = FORMAT_VERSION
    run_id: str
    command: str
    started_at: str  # ISO 8601, UTC
    ended_at: str | None = None
    status: RunStatus = RunStatus.RUNNING
    status_reason: str | None = None
    plan: Plan  # extended where a further look was measured
    plan_sha256: str  # as registered before the first request
    golden: dict[str, Any]  # the set as loaded
    arms: tuple[ArmHeader, ...]
    provenance: dict[str, Any] = field(default_factory=dict)
    clock: dict[str, Any] = field(default_factory=dict)  # by arm: stamp source, mapping bounds, steps
    client: tuple[ClientFacts, ...] = ()  # one entry per measuring process
    parts: tuple[Part, ...] = ()  # empty in runs that were written before a run could be resumed: `all_parts`
    rerun_of: str | None = None  # the run whose suspicious prompts it measured again; no night of its own

    @property
    def all_parts(self) -> tuple[Part, ...]:
        """Give the parts; a run that lists none was made in one."""
        whole = Part(
            started_at=self.started_at,
            ended_at=self.ended_at,
            status=self.status,
            status_reason=self.status_reason,
            command=self.command,
            plan_sha256=self.plan_sha256,
            provenance=self.provenance,
            clock=self.clock,
            client=self.client,
        )
        return self.parts or (whole,)
