"""The records of a probing: what each probe asked, what came back, and which class that is."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from harness.model.record import Attempt

# Format history of a probe folder. 1: first version.
PROBE_FORMAT_VERSION = 1


class ProbeClass(StrEnum):
    """What an endpoint does with a feature, as seen from outside."""

    SUPPORTED = "supported"  # 2xx, and the effect is seen
    IGNORED = "ignored"  # 2xx, and an effect that must be visible is absent
    REJECTED = "rejected"  # 4xx, where the same request without the feature gets 2xx
    BROKEN = "broken"  # 5xx, a hang, something malformed, or a wrong effect
    ACCEPTED = "accepted"  # 2xx, and no effect could be seen from outside
    INCONCLUSIVE = "inconclusive"  # the control failed, or it hangs on the model's will after all trials


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorFacts:
    """One answer of the error contract: how a request that must fail did."""

    case: str  # unknown_model, bad_key, ...
    status: int | None
    shape: str | None = None  # openai, flat, detail, string, message, html, empty, other; None: no error came
    error_type: str | None = None
    code: str | None = None
    param: str | None = None
    message: str | None = None
    headers: dict[str, str] = field(default_factory=dict)  # by allow-list
    place: str = "status"  # status, stream (inside a 200), none (the request was served), transport


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeExchange:
    """One request of a probe and its attempt: a line of exchanges.jsonl."""

    probe: str
    label: str  # which of the probe's requests
    is_control: bool = False
    trial: int = 0  # 0-based
    method: str
    target: str  # path and query, secrets struck out
    body: str = ""  # as sent, secrets struck out
    attempt: Attempt  # its offset and length point into streams.bin


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What one probe found."""

    id: str
    number: int  # in docs/probes.md
    group: str
    question: str
    outcome: ProbeClass
    evidence: str  # one line
    change: str | None = None  # what the user's code must change; None where nothing
    notes: tuple[str, ...] = ()
    needs_model: bool = False  # the class hangs on the model's will, so it was asked several times
    trials: int = 1
    status: int | None = None  # of the request that decided, where it was refused
    code: str | None = None
    param: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)  # what can be compared between endpoints, by name
    errors: tuple[ErrorFacts, ...] = ()
    exchanges: tuple[int, ...] = ()  # line numbers of exchanges.jsonl, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeReport:
    """probes.json: one endpoint's probes."""

    format_version: int = PROBE_FORMAT_VERSION
    probing_id: str
    endpoint: dict[str, Any]  # the endpoint file's content; the key stays a reference
    started_at: str  # ISO 8601, UTC
    ended_at: str | None = None
    context_window: int | None = None  # tokens, as told or as the server's model list says
    results: tuple[ProbeResult, ...] = ()
    skipped: dict[str, str] = field(default_factory=dict)  # probe id: why it was not run
    stopped: str | None = None  # why the rest was not asked: the endpoint could not be reached
    exchanges_file: str = "exchanges.jsonl"
    streams_file: str = "streams.bin"

    def result(self, probe_id: str) -> ProbeResult | None:
        """Give one probe's result, if it was run."""
        return next((result for result in self.results if result.id == probe_id), None)
