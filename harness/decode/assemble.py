"""Events put together into the answer, whatever dialect they come in."""

from dataclasses import dataclass
from typing import Any

from harness.decode.channels import Spoken, spoken_in
from harness.decode.errors import ServerError, error_in, error_of
from harness.decode.findings import Findings
from harness.decode.finish import INTERRUPTED, FinishReason
from harness.decode.markup import leaked_markup
from harness.decode.numbering import choice_number
from harness.decode.payload import Payload, clean_text, decode_payload, has_surrogates, text_or_none
from harness.decode.sse import SseEvent
from harness.decode.toolcalls import ToolCallAssembler
from harness.decode.usage import UsageCollector
from harness.model.record import Answer, Arrivals, FindingKind, Usage

DONE = b"[DONE]"


@dataclass(slots=True, kw_only=True)
class Marks:
    """Receive instants of what the body told; None when it did not happen."""

    event_1_at_ns: int | None = None
    token_1_at_ns: int | None = None
    answer_1_at_ns: int | None = None
    token_n_at_ns: int | None = None
    finish_at_ns: int | None = None
    usage_at_ns: int | None = None
    done_at_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembled:
    """Everything a body said."""

    answer: Answer
    usage: Usage | None
    arrivals: Arrivals
    marks: Marks
    error: ServerError | None
    response_id: str | None
    model_reported: str | None
    system_fingerprint: str | None
    n_events: int
    has_output: bool
    n_objects: int  # JSON objects, whatever they were
    has_completion: bool  # at least one object with choices
    is_done: bool  # [DONE] came


class Assembler:
    """Takes events in wire order, each with the read that completed it and that read's instant."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.is_done = False
        self._marks = Marks()
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._refusal: list[str] = []
        self._tools = ToolCallAssembler(findings)
        self._finish = FinishReason(findings)
        self._usage = UsageCollector(findings)
        self._rows: list[tuple[int, int, int, int, int]] = []
        self._error: ServerError | None = None
        self._identity: dict[str, str] = {}
        self._n_events = 0
        self._n_objects = 0
        self._has_output = False
        self._has_completion = False

    def take_event(self, event: SseEvent, read: int, at_ns: int | None) -> None:
        """Take one event of a stream; events after [DONE] are not part of the answer."""
        data = event.data.strip() if event.data is not None else b""
        if not data and event.error is None:
            self._take_empty(event)
            return
        self._n_events += 1
        if self._marks.event_1_at_ns is None:
            self._marks.event_1_at_ns = at_ns
        if event.error is not None:
            self._take_error_field(event.error)
        if data.startswith(DONE):
            self.is_done = True
            self._marks.done_at_ns = at_ns
        elif data:
            self._take_data(data, event, read, at_ns)

    def _take_empty(self, event: SseEvent) -> None:
        """Skip an event without data, unless its name says all there is to say."""
        if event.is_finished or event.data is not None:
            self.findings.note(FindingKind.EMPTY_DATA, event.name or "")
        if event.name == "error" and event.is_finished:
            self._set_error(ServerError(message="an error event without data", shape="empty"))

    def _take_error_field(self, value: bytes) -> None:
        text = value.decode("utf-8", "replace")
        self.findings.note(FindingKind.NONSTANDARD_ERROR_FIELD, text)
        payload = decode_payload(value)
        self._set_error(error_of(text if payload.error else payload.value))

    def _take_data(self, data: bytes, event: SseEvent, read: int, at_ns: int | None) -> None:
        payload = self._decoded(data, event)
        if event.name == "error":
            text = clean_text(data.decode("utf-8", "replace"))
            self._set_error(error_of(text if payload.error else payload.value))
        if isinstance(payload.value, dict):
            self.take_object(payload.value, read, at_ns, is_chunk=True)

    def _decoded(self, data: bytes, event: SseEvent) -> Payload:
        """Decode an event's data; a torn last event is already a finding of its own."""
        payload = decode_payload(data)
        if not event.is_finished and payload.error:
            return payload
        if payload.is_invalid_utf8:
            self.findings.note(FindingKind.INVALID_UTF8)
        if event.name != "error" and not isinstance(payload.value, dict):
            why = payload.error or type(payload.value).__name__
            detail = f"{why}: {data[:120].decode('utf-8', 'replace')}"
            self.findings.note(FindingKind.UNDECODABLE_EVENT, detail)
        return payload

    def take_object(self, payload: dict[str, Any], read: int, at_ns: int | None, *, is_chunk: bool) -> None:
        """Take one chunk, or the one object of an answer that was not streamed."""
        self._n_objects += 1
        self._set_error(error_in(payload))
        for key in ("id", "model", "system_fingerprint"):
            if key not in self._identity and (text := text_or_none(payload.get(key))):
                self._identity[key] = text
        choices = payload.get("choices")
        has_choices = isinstance(choices, list) and bool(choices)
        has_output = False
        if isinstance(choices, list):
            self._has_completion = True
            for position, choice in enumerate(choices):
                has_output |= self._take_choice(choice, position, read, at_ns, is_chunk=is_chunk)
        if self._usage.take(payload, has_choices=has_choices, has_output=has_output, is_chunk=is_chunk):
            self._marks.usage_at_ns = at_ns
        elif is_chunk and not has_choices and self._error is None:
            self.findings.note(FindingKind.EMPTY_CHOICES, "keys: " + ", ".join(map(str, payload)))

    def _take_choice(self, choice: object, position: int, read: int, at_ns: int | None, *, is_chunk: bool) -> bool:
        """Take one choice; only index 0 enters the answer. True when it brought output."""
        if not isinstance(choice, dict):
            self.findings.note(FindingKind.UNDECODABLE_EVENT, f"a choice is {type(choice).__name__}")
            return False
        index = choice_number(choice, position)
        if isinstance(choice.get("index"), str) and isinstance(index, int):
            self.findings.note(FindingKind.INDEX_NOT_NUMBER, f'a choice\'s "{index}"')
        if index != 0:
            self.findings.note(FindingKind.SEVERAL_CHOICES, f"index {str(index)[:20]}")
            return False
        if self._finish.take(choice.get("finish_reason")):
            self._marks.finish_at_ns = at_ns
        delta = self._delta_of(choice, is_chunk=is_chunk)
        return delta is not None and self._take_delta(delta, read, at_ns, is_chunk=is_chunk)

    def _delta_of(self, choice: dict[str, Any], *, is_chunk: bool) -> dict[str, Any] | None:
        """The choice's delta; a whole message behind its own fragments is a repetition."""
        delta = delta_of(choice, is_chunk=is_chunk)
        if delta is None:
            self.findings.note(FindingKind.CHOICE_WITHOUT_DELTA, "keys: " + ", ".join(map(str, choice)))
        is_repeat = is_chunk and self._has_output and delta is not None and delta is choice.get("message")
        return None if is_repeat else delta

    def _take_delta(self, delta: dict[str, Any], read: int, at_ns: int | None, *, is_chunk: bool) -> bool:
        spoken = spoken_in(delta, self.findings)
        tool_chars = self._tools.take(delta, is_chunk=is_chunk)
        if not (spoken.has_any or tool_chars):
            return False
        self._has_output = True
        if spoken.content:
            self._content.append(spoken.content)
        if spoken.reasoning:
            self._reasoning.append(spoken.reasoning)
        if spoken.refusal:
            self._refusal.append(spoken.refusal)
        if at_ns is not None:
            self._mark_output(spoken, tool_chars, read, at_ns)
        return True

    def _mark_output(self, spoken: Spoken, tool_chars: int, read: int, at_ns: int) -> None:
        marks = self._marks
        content_chars = len(spoken.content) + len(spoken.refusal) + spoken.audio_chars
        self._rows.append((at_ns, read, content_chars, len(spoken.reasoning), tool_chars))
        if marks.token_1_at_ns is None:
            marks.token_1_at_ns = at_ns
        if marks.answer_1_at_ns is None and (spoken.content or spoken.refusal or tool_chars):
            marks.answer_1_at_ns = at_ns
        marks.token_n_at_ns = at_ns

    def _set_error(self, error: ServerError | None) -> None:
        """The first error counts; what follows it is its echo."""
        if self._error is None:
            self._error = error

    def result(self) -> Assembled:
        """Close the answer and note what only the whole can show."""
        tool_calls = self._tools.result()
        self._finish.judge(tool_calls)
        answer = Answer(
            text=self._joined(self._content),
            reasoning=self._joined(self._reasoning),
            refusal=self._joined(self._refusal),
            tool_calls=tool_calls,
            finish_reason=self._finish.value,
        )
        usage = self._usage.result(has_output=self._has_output)
        self._note_whole(answer, usage)
        if self._finish.value in INTERRUPTED:
            self._set_error(ServerError(message=f"finish_reason {self._finish.value}", shape="other"))
        return Assembled(
            answer=answer,
            usage=usage,
            arrivals=_columns(self._rows),
            marks=self._marks,
            error=self._error,
            response_id=self._identity.get("id"),
            model_reported=self._identity.get("model"),
            system_fingerprint=self._identity.get("system_fingerprint"),
            n_events=self._n_events,
            has_output=self._has_output,
            n_objects=self._n_objects,
            has_completion=self._has_completion,
            is_done=self.is_done,
        )

    def _joined(self, parts: list[str]) -> str:
        text = "".join(parts)
        if not text.isascii() and has_surrogates(text):
            joined = clean_text(text)
            if "\ufffd" in joined:
                self.findings.note(FindingKind.INVALID_UTF8, "a lone surrogate")
            return joined
        return text

    def _note_whole(self, answer: Answer, usage: Usage | None) -> None:
        if markers := leaked_markup(answer.text):
            self.findings.note(FindingKind.LEAKED_MARKUP, " ".join(markers), count=len(markers))
        if usage and usage.reasoning_tokens and not answer.reasoning:
            self.findings.note(FindingKind.HIDDEN_REASONING, f"{usage.reasoning_tokens} reasoning tokens")


def delta_of(choice: dict[str, Any], *, is_chunk: bool) -> dict[str, Any] | None:
    """The delta, else a message in its place, else the text of a legacy completion."""
    for key in ("delta", "message") if is_chunk else ("message", "delta"):
        value = choice.get(key)
        if isinstance(value, dict):
            return value
    return {"content": choice["text"]} if isinstance(choice.get("text"), str) else None


def _columns(rows: list[tuple[int, int, int, int, int]]) -> Arrivals:
    if not rows:
        return Arrivals()
    at_ns, read, content, reasoning, tool = zip(*rows, strict=True)
    return Arrivals(at_ns=at_ns, read=read, content_chars=content, reasoning_chars=reasoning, tool_chars=tool)
