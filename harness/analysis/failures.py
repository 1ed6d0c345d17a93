"""Failures of one side by kind, with what to do about each."""

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.analysis.results.evidence import FailureRow
from harness.analysis.trials import JudgedRecord
from harness.model.record import Arm, FailureKind, Record

FAILURE_ADVICE: Mapping[FailureKind, str] = {
    FailureKind.DNS: "The host name of base_url does not resolve here: check its spelling, the resolver and the VPN.",
    FailureKind.CONNECT: "Nothing accepts connections at base_url: check host, port, firewall and proxy settings.",
    FailureKind.TLS: "The TLS handshake failed: check the certificate, tls.ca_file and the system's clock.",
    FailureKind.RESET_BEFORE_RESPONSE: (
        "The connection closed before a response: nothing was billed, and an application should retry. Often a gateway "
        "that closes idle connections or restarts."
    ),
    FailureKind.TIMEOUT_CONNECT: "Raise timeouts.connect_s only where the network is known to be slow; else check it.",
    FailureKind.TIMEOUT_FIRST_OUTPUT: (
        "No output within timeouts.first_output_s: the endpoint queues, or it was asleep. Allow 660 s where it may "
        "wake, or lower the concurrency."
    ),
    FailureKind.TIMEOUT_IDLE: (
        "The stream stopped while open for timeouts.idle_s; keep-alive comments do not count. Compare with the "
        "server's own log at that time."
    ),
    FailureKind.TIMEOUT_TOTAL: (
        "The whole request took longer than its limit: give timeouts.expected_decode_rate this endpoint's rate, or set "
        "timeouts.total_s."
    ),
    FailureKind.MALFORMED_HTTP: "The response is not HTTP/1.1: check that base_url is the API and not another service.",
    FailureKind.BODY_TOO_LARGE: "The body passed the limit of what is kept: look at the recorded bytes for a loop.",
    FailureKind.CUT_OFF: (
        "The connection ended inside the response: a restart, a gateway's own time limit or a crash. An application "
        "must send the request again as a whole; the tokens may be billed."
    ),
    FailureKind.REDIRECT: "Redirects are not followed with credentials: put the final address into base_url.",
    FailureKind.AUTHENTICATION: "The key was refused: check the variable that api_key names, and the key's rights.",
    FailureKind.NOT_FOUND: "Check that base_url ends as the provider wants (often /v1) and that it serves this model.",
    FailureKind.CONFLICT: "The server asks to try again (408 or 409): an application should retry.",
    FailureKind.RATE_LIMITED: (
        "Set limits.requests_per_minute or a lower limits.concurrency to the quota of this endpoint, or ask for a "
        "higher one."
    ),
    FailureKind.BAD_REQUEST: (
        "The endpoint refuses a parameter or the request's form: read its message; params.rename and params.drop adapt "
        "the request."
    ),
    FailureKind.SERVER_ERROR: "The server failed on this request: its log has the reason; try the prompt alone.",
    FailureKind.BAD_GATEWAY: "A gateway could not reach the server behind it: an application should retry.",
    FailureKind.UNAVAILABLE: "The endpoint is overloaded or loads a model: wait, then measure again.",
    FailureKind.NO_UPSTREAM: "The gateway knows no server for this model: a matter of configuration, not of retries.",
    FailureKind.GATEWAY_TIMEOUT: (
        "A gateway gave up waiting: the endpoint may have been asleep. Wake it before the run, or retry once later."
    ),
    FailureKind.ERROR_IN_STREAM: (
        "An error came inside a response with status 200: an application that looks at the status alone takes it for "
        "an answer."
    ),
    FailureKind.TRUNCATED_STREAM: (
        "The stream ended without finish_reason and without [DONE]: an application cannot tell this from a whole "
        "answer unless it checks."
    ),
    FailureKind.NOT_A_COMPLETION: "A 200 that is no completion: check that base_url is the API and not a web page.",
    FailureKind.EMPTY_ANSWER: "A complete 200 without any output: check the chat template, stop words and max tokens.",
    FailureKind.REFUSED_BY_BUDGET: "A budget or content filter refused it on purpose: raise the budget or the filter.",
    FailureKind.CANCELLED: "The run was stopped by its user; nothing is said about the endpoint.",
}
_EXAMPLE_STATUS = 300


def failure_rows(arm: Arm, judged: Sequence[JudgedRecord], followed: Sequence[Record] = ()) -> tuple[FailureRow, ...]:
    """Give a row per kind of failure, most frequent first; warm-ups, every level of load and follow-ups count."""
    by_kind: dict[FailureKind, list[Record]] = {}
    for record in (*(item.record for item in judged), *followed):
        if record.failure is not None:
            by_kind.setdefault(record.failure.kind, []).append(record)
    ordered = sorted(by_kind.items(), key=lambda found: (-len(found[1]), found[0]))
    return tuple(_row(arm, kind, records) for kind, records in ordered)


def _row(arm: Arm, kind: FailureKind, records: Sequence[Record]) -> FailureRow:
    prompts = Counter(record.key.prompt_id for record in records)
    return FailureRow(
        arm=arm,
        kind=kind.value,
        n=len(records),
        n_other_levels=sum(record.key.level > 0 for record in records),
        n_follow_ups=sum(record.key.is_follow_up for record in records),
        prompts=tuple(prompt_id for prompt_id, _ in prompts.most_common()),
        example=_example(records[0]),
        advice=FAILURE_ADVICE[kind],
    )


def _example(record: Record) -> str:
    message = record.failure.message if record.failure else ""
    if record.status is not None and record.status >= _EXAMPLE_STATUS:
        return f"HTTP {record.status}: {message}" if message else f"HTTP {record.status}"
    return message
