"""One attempt decoded into its record, the same from the same bytes every time."""

from dataclasses import replace

from harness.decode.assemble import Assembled, Assembler, Marks
from harness.decode.body import BodyKind, assemble_events, assemble_object, kind_of_body
from harness.decode.failure import failure_of_other_body, failure_of_status, failure_of_stream
from harness.decode.findings import Findings
from harness.decode.http import HttpResponse, split_wire
from harness.model.record import Attempt, Failure, FailureKind, FindingKind, Reads, Record, Stamps


def decode_attempt(
    attempt: Attempt,
    wire: bytes,
    *,
    model_asked: str | None,
    asked_stream: bool = True,
    asked_usage: bool = True,
) -> Record:
    """Decode the recorded bytes of one attempt; total: what is odd becomes a finding or a failure."""
    response = split_wire(wire, attempt.reads)
    findings = Findings()
    kind = kind_of_body(response)
    told = _told(response, kind, attempt.reads, findings)
    failure = _failure(attempt, response, told, kind)
    _note_transport(response, told, findings)
    if told.has_completion:
        _note_completion(told, findings, model_asked, is_whole=failure is None, asked_usage=asked_usage)
    if _is_success(response):
        _note_other_form(kind, response, findings, asked_stream=asked_stream and attempt.key.is_streamed)
    if kind is BodyKind.EVENTS and failure is None and not told.is_done:
        findings.note(FindingKind.NO_DONE)
    record = _record(attempt, response, told, failure)
    return replace(record, was_streamed=kind is BodyKind.EVENTS, findings=findings.taken())


def _note_other_form(kind: BodyKind, response: HttpResponse, findings: Findings, *, asked_stream: bool) -> None:
    """Name a body that is not in the form that was asked for."""
    if asked_stream and kind is BodyKind.OBJECT:
        findings.note(FindingKind.STREAM_ANSWERED_WITH_JSON, response.header("content-type") or "")
    elif not asked_stream and kind is BodyKind.EVENTS:
        findings.note(FindingKind.JSON_ANSWERED_WITH_STREAM, response.header("content-type") or "")


def _told(response: HttpResponse, kind: BodyKind, reads: Reads, findings: Findings) -> Assembled:
    """What the body says; the body of a failed status is an error, not an answer."""
    if _is_success(response):
        if kind is BodyKind.EVENTS:
            return assemble_events(response, reads, findings)
        told = assemble_object(response, reads, findings) if kind is BodyKind.OBJECT else None
        if told is not None:
            return told
    return Assembler(Findings()).result()


def _is_success(response: HttpResponse) -> bool:
    return response.status is not None and 200 <= response.status < 300  # noqa: PLR2004 - HTTP's own


def _failure(attempt: Attempt, response: HttpResponse, told: Assembled, kind: BodyKind) -> Failure | None:
    """A failed status first, then the transport unless the body had said all, then the body."""
    if (failure := failure_of_status(response)) is not None:
        return failure
    is_answered = told.is_done and told.has_output and told.error is None
    if attempt.failure is not None and not (is_answered or _explains_the_cut(told, attempt.failure)):
        return attempt.failure
    if response.head_read is None:
        return _headless(response)
    if not is_answered and (failure := _broken(response, told)) is not None:
        return failure
    is_read = kind is BodyKind.EVENTS or (kind is BodyKind.OBJECT and _says_anything(told))
    return failure_of_stream(told, was_streamed=kind is BodyKind.EVENTS) if is_read else failure_of_other_body(response)


def _explains_the_cut(told: Assembled, failure: Failure) -> bool:
    """Whether the server had said what went wrong before it let the connection go."""
    return told.error is not None and failure.kind is FailureKind.CUT_OFF


def _says_anything(told: Assembled) -> bool:
    return told.has_completion or told.error is not None


def _headless(response: HttpResponse) -> Failure:
    if response.error:
        return Failure(kind=FailureKind.MALFORMED_HTTP, message=response.error)
    return Failure(kind=FailureKind.RESET_BEFORE_RESPONSE, message="the response head never completed")


def _broken(response: HttpResponse, told: Assembled) -> Failure | None:
    """Framing or coding that broke inside the response; a finish reason makes up for a lost end."""
    if response.is_too_large:
        return Failure(kind=FailureKind.BODY_TOO_LARGE, message=response.error or "too large")
    if told.error is not None or told.answer.finish_reason is not None:
        return None
    if response.error:
        return Failure(kind=FailureKind.MALFORMED_HTTP, message=response.error)
    if not response.is_complete and not told.is_done:
        return Failure(kind=FailureKind.CUT_OFF, message="the response ended before its framing said so")
    return None


def _note_transport(response: HttpResponse, told: Assembled, findings: Findings) -> None:
    if response.coding:
        findings.note(FindingKind.COMPRESSED, response.coding)
    if response.head_read is not None and (response.error or not (response.is_complete or told.is_done)):
        findings.note(FindingKind.CHUNK_FRAMING_LOST, response.error or "the end never came")


def _note_completion(
    told: Assembled, findings: Findings, model_asked: str | None, *, is_whole: bool, asked_usage: bool
) -> None:
    if model_asked is not None and told.model_reported not in (None, model_asked):
        findings.note(FindingKind.MODEL_DIFFERS, f"asked {model_asked}, reported {told.model_reported}")
    if asked_usage and is_whole and told.usage is None:
        findings.note(FindingKind.USAGE_MISSING)


def _record(attempt: Attempt, response: HttpResponse, told: Assembled, failure: Failure | None) -> Record:
    return Record(
        key=attempt.key,
        attempt=attempt.attempt,
        block=attempt.block,
        part=attempt.part,
        is_possibly_cold=attempt.is_possibly_cold,
        stamps=_stamps(attempt, response, told.marks),
        connection=attempt.connection,
        status=attempt.status if response.status is None else response.status,
        headers=attempt.headers,
        response_id=told.response_id,
        model_reported=told.model_reported,
        system_fingerprint=told.system_fingerprint,
        answer=told.answer,
        usage=told.usage,
        arrivals=told.arrivals,
        reads=attempt.reads,
        n_events=told.n_events,
        failure=failure,
    )


def _stamps(attempt: Attempt, response: HttpResponse, marks: Marks) -> Stamps:
    head = response.head_read
    at_ns = attempt.reads.at_ns
    return Stamps(
        intended_at_ns=attempt.intended_at_ns,
        claimed_at_ns=attempt.claimed_at_ns,
        admitted_at_ns=attempt.admitted_at_ns,
        sent_at_ns=attempt.sent_at_ns,
        headers_at_ns=at_ns[head] if head is not None and head < len(at_ns) else None,
        event_1_at_ns=marks.event_1_at_ns,
        token_1_at_ns=marks.token_1_at_ns,
        answer_1_at_ns=marks.answer_1_at_ns,
        token_n_at_ns=marks.token_n_at_ns,
        finish_at_ns=marks.finish_at_ns,
        usage_at_ns=marks.usage_at_ns,
        done_at_ns=marks.done_at_ns,
        ended_at_ns=attempt.ended_at_ns,
    )
