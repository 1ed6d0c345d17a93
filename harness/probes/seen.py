"""One recorded exchange of a probe, decoded for its judge."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.decode.body import BodyKind, kind_of_body
from harness.decode.errors import ServerError, error_in, error_of_body
from harness.decode.http import HttpResponse, split_wire
from harness.decode.payload import decode_payload, text_or_none
from harness.decode.record import decode_attempt
from harness.decode.sse import split_events
from harness.model.probe import ProbeExchange
from harness.model.record import Answer, FailureKind, FindingKind, Record, Usage

_OK = 2
_CLIENT = 4
_NOT_THE_FEATURE = frozenset({401, 402, 403, 408, 429})  # a 4xx that says nothing about a field


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What came back to one request."""

    exchange: ProbeExchange
    record: Record
    response: HttpResponse

    @property
    def label(self) -> str:
        """Which of the probe's requests."""
        return self.exchange.label

    @property
    def status(self) -> int | None:
        """Final status; None when no head came."""
        return self.record.status

    @cached_property
    def sent(self) -> dict[str, Any]:
        """The request's body; empty where it was no JSON object."""
        asked = decode_payload(self.exchange.body.encode()).value
        return asked if isinstance(asked, dict) else {}

    @property
    def is_served(self) -> bool:
        """Whether it is a 2xx that nothing went wrong with; one that thought until its budget ended is served too."""
        return self.record.failure is None or (self.failure is FailureKind.EMPTY_ANSWER and self.is_mute)

    @property
    def is_mute(self) -> bool:
        """Whether the budget ended before anything was said."""
        answer = self.answer
        return answer.finish_reason == "length" and not (answer.text or answer.tool_calls)

    @property
    def is_refused(self) -> bool:
        """Whether it is a 4xx that may be about what was asked."""
        status = self.status or 0
        return status // 100 == _CLIENT and status not in _NOT_THE_FEATURE

    @property
    def is_turned_away(self) -> bool:
        """Whether key, budget or quota kept it from being looked at."""
        return self.status in _NOT_THE_FEATURE or self.failure is FailureKind.REFUSED_BY_BUDGET

    @property
    def failure(self) -> FailureKind | None:
        """What went wrong."""
        return self.record.failure.kind if self.record.failure else None

    @property
    def answer(self) -> Answer:
        """The first choice."""
        return self.record.answer

    @property
    def text(self) -> str:
        """The first choice's visible text."""
        return self.record.answer.text

    @property
    def usage(self) -> Usage:
        """Usage as reported; empty when it was not."""
        return self.record.usage or Usage()

    @property
    def was_streamed(self) -> bool:
        """Whether the body is a stream."""
        return kind_of_body(self.response) is BodyKind.EVENTS

    def has(self, *kinds: FindingKind) -> bool:
        """Whether the decoder noticed one of these."""
        return any(finding.kind in kinds for finding in self.record.findings)

    @cached_property
    def objects(self) -> tuple[dict[str, Any], ...]:
        """Every JSON object of the body: the chunks of a stream, or the one of a body."""
        if self.was_streamed:
            values = [
                decode_payload(event.data).value for event in split_events(self.response.body).events if event.data
            ]
        else:
            values = [decode_payload(self.response.body.strip()).value]
        return tuple(value for value in values if isinstance(value, dict))

    @cached_property
    def choices(self) -> tuple[dict[str, Any], ...]:
        """Every choice of every object."""
        found = [choice for value in self.objects for choice in _listed(value.get("choices"))]
        return tuple(choice for choice in found if isinstance(choice, dict))

    @cached_property
    def error(self) -> ServerError | None:
        """The server's own error, at its status or inside a 200."""
        status = self.status
        if status is not None and status // 100 != _OK:
            return error_of_body(self.response.body)
        return next((found for value in self.objects if (found := error_in(value)) is not None), None)

    @property
    def param(self) -> str | None:
        """The parameter that an error names."""
        for value in self.objects:
            inner = value.get("error")
            named = inner if isinstance(inner, dict) else value
            if text_or_none(named.get("param")):
                return text_or_none(named.get("param"))
        return None

    def trouble(self) -> str:
        """What went wrong, in a line."""
        failure = self.record.failure
        status = f"HTTP {self.status}" if self.status else "no status"
        return f"{status}, {failure.kind}: {failure.message}"[:200] if failure else status


def see(exchange: ProbeExchange, wire: bytes, *, model: str) -> Seen:
    """Decode one exchange; total, as decoding is."""
    asked = decode_payload(exchange.body.encode()).value
    body = asked if isinstance(asked, dict) else {}
    options = body.get("stream_options")
    record = decode_attempt(
        exchange.attempt,
        wire,
        model_asked=model,
        asked_stream=body.get("stream") is True,
        asked_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )
    return Seen(exchange=exchange, record=record, response=split_wire(wire, exchange.attempt.reads))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
