import json

import pytest

from harness.decode.errors import ServerError, error_of_body
from harness.model.record import Failure, FailureKind
from tests.decode.test_cases import TRANSPORT_ONLY
from tests.decode.wires import DONE, END, HI, a_head, a_wire, chunked, data, decoded, finish

K = FailureKind
ENVELOPE = json.dumps({"error": {"message": "no", "type": "t", "code": "c"}}).encode()


def kind_of(*pieces: bytes, failure: Failure | None = None) -> FailureKind | None:
    found = decoded(pieces, failure=failure).failure
    return None if found is None else found.kind


def transport(kind: FailureKind) -> Failure:
    return Failure(kind=kind, message="from the player")


@pytest.mark.parametrize("kind", sorted(TRANSPORT_ONLY | {K.CUT_OFF, K.RESET_BEFORE_RESPONSE, K.BODY_TOO_LARGE}))
def test_what_the_player_saw_is_the_failure_of_an_unfinished_answer(kind: FailureKind) -> None:
    failure = transport(kind)
    assert decoded([b""], failure=failure).failure == failure
    record = decoded([a_head(), chunked(HI)], failure=failure)
    assert record.failure == failure
    assert record.answer.text == "Hi"  # the part stays as evidence


@pytest.mark.parametrize("kind", [K.TIMEOUT_TOTAL, K.TIMEOUT_IDLE, K.CUT_OFF, K.CANCELLED])
def test_what_happens_after_done_does_not_undo_the_answer(kind: FailureKind) -> None:
    assert kind_of(a_head(), chunked(HI + END), failure=transport(kind)) is None


def test_a_finish_reason_alone_does_not_excuse_a_connection_that_hangs() -> None:
    assert kind_of(a_head(), chunked(HI + finish()), failure=transport(K.TIMEOUT_IDLE)) is K.TIMEOUT_IDLE


def test_done_without_output_excuses_nothing() -> None:
    assert kind_of(a_head(), chunked(DONE), failure=transport(K.CUT_OFF)) is K.CUT_OFF


def test_a_server_that_says_why_before_it_cuts_is_believed() -> None:
    pieces = [a_head(), chunked(HI + data({"error": {"message": "out of memory", "code": 500}}))]
    record = decoded(pieces, failure=transport(K.CUT_OFF))
    assert record.failure is not None
    assert (record.failure.kind, record.failure.message) == (K.ERROR_IN_STREAM, "out of memory")
    assert kind_of(*pieces, failure=transport(K.CANCELLED)) is K.CANCELLED


@pytest.mark.parametrize("kind", [K.CUT_OFF, K.TIMEOUT_TOTAL, K.CANCELLED, K.BODY_TOO_LARGE])
def test_a_failed_status_says_more_than_the_end_of_its_body(kind: FailureKind) -> None:
    record = decoded([a_head(429, "application/json"), chunked(ENVELOPE[:9])], failure=transport(kind))
    assert record.failure is not None
    assert record.failure.kind is K.RATE_LIMITED


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "content_filter", K.REFUSED_BY_BUDGET),
        (400, "ResponsibleAIPolicyViolation", K.REFUSED_BY_BUDGET),
        (429, "insufficient_quota", K.REFUSED_BY_BUDGET),
        (429, "rate_limit_exceeded", K.RATE_LIMITED),
        (403, "budget_exceeded", K.REFUSED_BY_BUDGET),
        (403, "forbidden", K.AUTHENTICATION),
        (307, "budget_exceeded", K.REDIRECT),
        (503, "no_upstream", K.NO_UPSTREAM),
        (503, "No healthy backend", K.NO_UPSTREAM),
        (503, "overloaded", K.UNAVAILABLE),
        (502, "no_upstream", K.BAD_GATEWAY),
        (504, "wake_timeout", K.GATEWAY_TIMEOUT),
        (418, "teapot", K.BAD_REQUEST),
        (599, "x", K.SERVER_ERROR),
    ],
)
def test_a_status_and_its_code_give_the_kind(status: int, code: str, kind: FailureKind) -> None:
    for body in ({"error": {"message": "m", "code": code}}, {"error": {"message": "m", "type": code}}):
        record = decoded([a_wire(json.dumps(body).encode(), status, "application/json")])
        assert record.failure is not None
        assert record.failure.kind is kind
        assert code in (record.failure.code, record.failure.error_type)


def test_a_message_alone_can_name_a_missing_upstream_but_not_a_refusal() -> None:
    assert kind_of(a_wire(b"no healthy upstream", 503, "text/plain")) is K.NO_UPSTREAM
    assert kind_of(a_wire(b"over your budget", 400, "text/plain")) is K.BAD_REQUEST


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (ENVELOPE, ServerError(message="no", shape="openai", code="c", error_type="t")),
        (
            b'{"error":{"message":"","code":429}}',
            ServerError(message="{'message': '', 'code': 429}", shape="openai", code="429"),
        ),
        (b'{"error":"busy","code":7}', ServerError(message="busy", shape="string", code="7")),
        (
            b'{"object":"error","message":"m","type":"t","code":4}',
            ServerError(message="m", shape="flat", code="4", error_type="t"),
        ),
        (
            b'{"detail":[{"loc":["body"],"msg":"bad"}]}',
            ServerError(message="[{'loc': ['body'], 'msg': 'bad'}]", shape="detail"),
        ),
        (b'{"message":"m"}', ServerError(message="m", shape="message")),
        (b'"text"', ServerError(message="text", shape="string")),
        (b"[]", ServerError(message="[]", shape="other")),
        (b"plain\n text", ServerError(message="plain text", shape="string")),
        (b"<html><head><title>\n502 Bad\n</title>", ServerError(message="502 Bad", shape="html")),
        (b"<html>nothing", ServerError(message="<html>nothing", shape="html")),
        (b"\xef\xbb\xbf \n", ServerError(message="(empty body)", shape="empty")),
        (b"\xef\xbb\xbf" + ENVELOPE, ServerError(message="no", shape="openai", code="c", error_type="t")),
        (b": wait\n\ndata: " + ENVELOPE + b"\n\n", ServerError(message="no", shape="openai", code="c", error_type="t")),
        (b"event: error\ndata: it broke\n\n", ServerError(message="event: error data: it broke", shape="other")),
    ],
)
def test_an_error_is_read_in_whatever_shape_it_comes(body: bytes, error: ServerError) -> None:
    assert error_of_body(body) == error


def test_a_message_without_end_is_cut_to_a_line() -> None:
    assert len(error_of_body(b"x" * 10_000).message) == 500
    assert len(error_of_body(json.dumps({"error": {"message": "y\n" * 10_000}}).encode()).message) == 500


def test_an_error_nested_without_end_is_an_error_all_the_same() -> None:
    body = b'{"detail":' + b"[" * 500 + b"]" * 500 + b"}"
    assert error_of_body(body).shape == "detail"


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("https://user:pw@elsewhere.example:99/v1?token=1", "elsewhere.example:99"),
        ("//elsewhere.example", "elsewhere.example"),
        ("/elsewhere", "another path of the same host"),
        ("", "nowhere (no Location)"),
        ("http://[::1", "an address that is none"),
    ],
)
def test_a_redirect_names_the_host_that_it_leads_to_and_nothing_else(location: str, target: str) -> None:
    wire = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    record = decoded([wire])
    assert record.failure is not None
    assert record.failure.kind is FailureKind.REDIRECT
    assert record.failure.message == f"302 to {target}: never followed, the key would go along"
