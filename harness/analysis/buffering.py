"""Tells a stream that something buffered ("synthetic streaming") from one that came as it was made.

Signs: half of the output events share a read that came promptly, where the kernel's stamp shows that we did not merge
them by reading late; or the output came within a fifth of the time that its tokens take at the endpoint's own median
rate, in a single read at the extreme. Answers too short to tell, and those whose tokens a parser withholds or hides,
are not judged.
"""

from collections import Counter
from collections.abc import Iterable
from statistics import median

from harness.analysis.gaps import gaps
from harness.analysis.tokens import has_hidden_reasoning
from harness.model.record import FindingKind, Reads, Record
from harness.units import seconds

SHARED_FRACTION = 0.5
SHORT_SPAN_FRACTION = 0.2  # of N over the endpoint's own median rate
FEWEST_EVENTS = 5  # fewer output events may share a read by chance
FEWEST_TOKENS = 20  # fewer tokens may come at once from a fast server
PROMPT_LAG_S = 0.001
PROMPT_LAG_GAPS = 0.02  # of the median gap, where that is longer
KERNEL = "k"
_GATEWAY_HEADERS = ("via", "x-cache", "cf-ray", "x-envoy-upstream-service-time", "x-amz-cf-id")
_GATEWAY_SERVERS = ("nginx", "openresty", "cloudflare", "envoy", "haproxy", "caddy", "traefik", "awselb")


def shared_events(record: Record) -> tuple[bool, ...]:
    """Whether each output event shares its read with another."""
    per_read = Counter(record.arrivals.read)
    return tuple(per_read[read] > 1 for read in record.arrivals.read)


def is_buffered(record: Record, usual_rate: float | None) -> bool:
    """Whether a sign holds; `usual_rate` is None in the first pass, which finds that rate."""
    is_judgeable = record.failure is None and record.was_streamed and not record.answer.tool_calls
    if not is_judgeable or has_hidden_reasoning(record):
        return False
    return shares_prompt_reads(record) or came_at_once(record, usual_rate)


def shares_prompt_reads(record: Record) -> bool:
    """Whether at least half of the output events share a read that the kernel's stamp shows was read promptly."""
    shared = [read for read, is_shared in zip(record.arrivals.read, shared_events(record), strict=True) if is_shared]
    n_events = len(record.arrivals.read)
    if n_events < FEWEST_EVENTS or len(shared) < SHARED_FRACTION * n_events:
        return False
    limit_s = _prompt_limit_s(record)
    return sum(_is_prompt(record.reads, read, limit_s) for read in shared) >= SHARED_FRACTION * n_events


def came_at_once(record: Record, usual_rate: float | None) -> bool:
    """Whether the output span is below a fifth of what its tokens take at the endpoint's median rate."""
    first, last = record.stamps.token_1_at_ns, record.stamps.token_n_at_ns
    tokens = record.usage.completion_tokens if record.usage else None
    if tokens is None or tokens < FEWEST_TOKENS or first is None or last is None:
        return False
    if usual_rate is None:
        return len(set(record.arrivals.read)) == 1
    return seconds(last - first) < SHORT_SPAN_FRACTION * tokens / usual_rate


def usual_decode_rate(rates: Iterable[float | None]) -> float | None:
    """Median of the rates of a first pass; None when no request has one."""
    found = [rate for rate in rates if rate is not None]
    return median(found) if found else None


def likely_cause(record: Record) -> str:
    """Name who probably held the stream back: compression, a gateway that says it is one, else the server."""
    if any(finding.kind is FindingKind.COMPRESSED for finding in record.findings):
        return "compression"
    server = record.headers.get("server", "").casefold()
    if any(name in record.headers for name in _GATEWAY_HEADERS) or server.startswith(_GATEWAY_SERVERS):
        return "a gateway"
    return "the server itself"


def _prompt_limit_s(record: Record) -> float:
    found = gaps(record)
    return max(PROMPT_LAG_S, PROMPT_LAG_GAPS * median(found)) if found else PROMPT_LAG_S


def _is_prompt(reads: Reads, read: int, limit_s: float) -> bool:
    """A read stamped by us alone shows nothing: its lag cannot be seen."""
    if read >= len(reads.at_ns) or reads.source[read : read + 1] != KERNEL:
        return False
    return seconds(reads.seen_at_ns[read] - reads.at_ns[read]) <= limit_s
