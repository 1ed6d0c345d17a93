import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.decode.sdk_view import SdkView, both_views, sdk_view
from harness.model.record import FailureKind, Reads, ToolCall
from tests.decode.strategies import as_json, bodies, strange_objects
from tests.decode.wires import DONE, END, HI, TOOL_END, a_head, a_wire, chunked, data, decoded, delta, reads_of, tool

ROOT = Path(__file__).resolve().parents[2]
CHUNK = {"object": "chat.completion.chunk"}
AZURE_END = data({"choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]} | CHUNK)


def seen(body: bytes, status: int = 200, content_type: str = "text/event-stream", *, helper: bool = False) -> SdkView:
    wire = a_wire(body, status, content_type)
    view = sdk_view(wire, reads_of([wire]), through_helper=helper)
    assert both_views(wire, reads_of([wire]))[helper] == view  # one replay or two, the views are the same
    return view


def failure_of(body: bytes, content_type: str = "text/event-stream") -> FailureKind | None:
    failure = decoded([a_wire(body, 200, content_type)]).failure
    return None if failure is None else failure.kind


@pytest.mark.parametrize("helper", [False, True])
def test_an_answer_by_the_contract_is_seen_as_it_was_given(*, helper: bool) -> None:
    calls = tool(index=0, id="a", type="function", function={"name": "f", "arguments": ""})
    calls += tool(index=0, function={"arguments": "{}"})
    view = seen(delta(role="assistant", content="") + HI + calls + TOOL_END, helper=helper)
    assert view == SdkView(
        outcome="answer", text="Hi", tool_calls=(ToolCall(name="f", arguments="{}", id="a", index=0),)
    )


def test_a_stream_that_is_cut_is_a_success_to_the_sdk() -> None:
    assert seen(HI) == SdkView(outcome="answer", text="Hi")
    assert failure_of(HI) is FailureKind.TRUNCATED_STREAM


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'error: {"code":500,"message":"out of memory"}\n\n', ""),
        (b'event: error\ndata: {"message":"no","code":"c"}\n\n', ""),
        (data({"object": "error", "message": "no", "type": "t", "code": 400}), ""),
        (HI + data({"message": "overloaded"}) + DONE, "Hi"),
        (HI + data({"detail": "no"}) + DONE, "Hi"),
    ],
)
def test_an_error_in_another_shape_than_openais_is_silence_to_the_sdk(body: bytes, text: str) -> None:
    assert seen(body) == SdkView(outcome="answer" if text else "empty", text=text)
    assert failure_of(body) is FailureKind.ERROR_IN_STREAM


def test_an_error_in_openais_shape_is_an_exception_behind_what_had_come() -> None:
    view = seen(HI + data({"error": {"message": "boom"}}))
    assert view == SdkView(outcome="exception", text="Hi", exception_type="APIError", exception_message="boom")


def test_a_byte_order_mark_costs_the_sdk_the_first_event() -> None:
    assert seen(b"\xef\xbb\xbf" + HI + END) == SdkView(outcome="empty")
    assert failure_of(b"\xef\xbb\xbf" + HI + END) is None


def test_a_json_answer_to_a_stream_is_empty_to_the_sdk() -> None:
    body = as_json({"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]})
    assert seen(body, content_type="application/json") == SdkView(outcome="empty")
    assert failure_of(body, "application/json") is None


def test_a_last_event_without_its_blank_line_is_lost_to_the_sdk() -> None:
    body = HI + delta(content="!")[:-1]
    assert seen(body) == SdkView(outcome="answer", text="Hi")
    assert decoded([a_wire(body)]).answer.text == "Hi!"


@pytest.mark.parametrize("event", [b"data:\n\n", b"event: ping\n\n", b"id: 7\n\n"])
def test_an_event_without_data_crashes_the_sdk(event: bytes) -> None:
    view = seen(HI + event + END)
    assert (view.outcome, view.text, view.exception_type) == ("crash", "Hi", "JSONDecodeError")
    assert failure_of(HI + event + END) is None


@pytest.mark.parametrize("event", [b": keep-alive\n\n", data({"choices": []}), delta(content="\u2028\u0085")])
def test_what_the_sdk_survives_is_no_news(event: bytes) -> None:
    assert seen(event + HI + END).outcome == "answer"


@pytest.mark.parametrize(
    ("body", "exception", "plain_text"),
    [
        (tool(id="a", function={"name": "f", "arguments": "{}"}) + TOOL_END, "TypeError", ""),
        (tool(index=1, id="a", function={"name": "f", "arguments": "{}"}) + TOOL_END, "IndexError", ""),
        (HI + AZURE_END + END, "AttributeError", "Hi"),
    ],
)
def test_the_streaming_helper_crashes_where_the_plain_stream_does_not(
    body: bytes, exception: str, plain_text: str
) -> None:
    view = seen(body, helper=True)
    assert (view.outcome, view.exception_type) == ("crash", exception)
    plain = seen(body)
    assert (plain.outcome, plain.text) == ("answer", plain_text)


def test_two_calls_without_an_index_run_together_in_an_application() -> None:
    body = b"".join(tool(id=name, function={"name": name, "arguments": "{}"}) for name in "ab") + TOOL_END
    assert seen(body).tool_calls == (ToolCall(name="a", arguments="{}{}", id="a"),)
    assert [call.name for call in decoded([a_wire(body)]).answer.tool_calls] == ["a", "b"]


@pytest.mark.parametrize("helper", [False, True])
@pytest.mark.parametrize("event", [delta(content=3), tool(index=0, function={"name": "f", "arguments": {"a": 1}})])
def test_a_value_of_another_type_crashes_the_application(event: bytes, *, helper: bool) -> None:
    view = seen(event + END, helper=helper)
    assert (view.outcome, view.exception_type) == ("crash", "TypeError")


@pytest.mark.parametrize(
    ("status", "exception"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "InternalServerError"),
    ],
)
def test_a_failed_status_is_an_exception_at_once(status: int, exception: str) -> None:
    view = seen(b'{"error":{"message":"no"}}', status, "application/json")
    assert (view.outcome, view.exception_type) == ("exception", exception)
    assert view.exception_message == f"Error code: {status} - no"


def test_no_response_is_a_connection_error() -> None:
    view = sdk_view(b"HTTP/1.1 200", reads_of([b"HTTP/1.1 200"]))
    assert (view.outcome, view.exception_type) == ("exception", "APIConnectionError")


def test_a_replay_opens_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a replay is offline")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert seen(HI + END).text == "Hi"


def test_a_replay_prints_nothing_and_shows_no_key_even_when_the_sdk_is_told_to_log() -> None:
    wire = a_wire(delta(content=3) + END)
    script = (
        "import os\n"
        "from harness.decode.sdk_view import sdk_view\n"
        "from tests.decode.wires import reads_of\n"
        f"wire = {wire!r}\n"
        "for helper in (False, True):\n"
        "    view = sdk_view(wire, reads_of([wire]), through_helper=helper)\n"
        "    assert view.outcome == 'crash', view\n"
        "    assert 'canary' not in repr(view)\n"
    )
    environment = os.environ | {"OPENAI_LOG": "debug", "OPENAI_API_KEY": "sk-canary", "OPENAI_ORG_ID": "canary"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_sdk_is_not_loaded_before_it_is_asked_for() -> None:
    script = (
        "import sys\n"
        "import harness.decode.sdk_view, harness.decode.record\n"
        "assert not {'openai', 'httpx2', 'pydantic'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


@settings(max_examples=60)
@given(
    body=st.one_of(bodies(), st.binary(max_size=60), strange_objects.map(data).map(lambda event: event + END)),
    helper=st.booleans(),
)
def test_any_body_is_seen_somehow(body: bytes, *, helper: bool) -> None:
    view = seen(body, helper=helper)
    assert (view.exception_type is None) == (view.outcome in {"answer", "empty"})
    assert all(isinstance(call.arguments, str) for call in view.tool_calls)


@settings(max_examples=40)
@given(wire=st.binary(max_size=60), status=st.sampled_from((100, 204, 304, 307, 600)))
def test_any_wire_is_seen_somehow(wire: bytes, status: int) -> None:
    sdk_view(wire, Reads())
    whole = a_head(status) + chunked(HI)
    sdk_view(whole, reads_of([whole]))
