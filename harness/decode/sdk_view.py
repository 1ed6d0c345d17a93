"""What an application on the openai SDK would have seen of a recorded response."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.decode.errors import MAX_MESSAGE_CHARS
from harness.decode.findings import one_line
from harness.decode.http import HttpResponse, split_wire
from harness.decode.payload import clean_text
from harness.decode.sse import split_events
from harness.model.record import Reads, ToolCall

if TYPE_CHECKING:
    import openai

Outcome = Literal["answer", "empty", "exception", "crash"]
_BASE_URL = "http://replay.invalid/v1"  # never resolved: the transport answers by itself
_REPLAY_KEY = "replay"  # the SDK wants one; it goes nowhere
_LOGGERS = ("openai", "httpx2")


@dataclass(frozen=True, slots=True, kw_only=True)
class SdkView:
    """The application's side: an answer, nothing, an error of the SDK's own kind, or a crash."""

    outcome: Outcome
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    exception_type: str | None = None
    exception_message: str | None = None


class _Application:
    """The accumulation loop that applications write around the SDK's stream."""

    def __init__(self) -> None:
        self._text = ""
        self._calls: dict[Any, list[Any]] = {}  # the SDK hands on what came, whatever its types say
        self.n_chunks = 0

    def take(self, choices: Any) -> None:
        """Take one chunk's choices; only the first choice, as an application does."""
        self.n_chunks += 1
        for choice in choices or ():
            delta = choice.delta
            if choice.index == 0 and delta is not None:
                if delta.content:
                    self._text += delta.content  # as applications do: a crash where it is no text
                for fragment in delta.tool_calls or ():
                    self._take_fragment(fragment)

    def _take_fragment(self, fragment: Any) -> None:
        call = self._calls.setdefault(fragment.index, [None, None, ""])
        call[0] = call[0] or fragment.id
        if fragment.function is not None:
            call[1] = call[1] or fragment.function.name
            call[2] += fragment.function.arguments or ""

    def view(self, failure: Exception | None, *, is_crash: bool) -> SdkView:
        """Give what had been accumulated, with how it ended."""
        text = clean_text(self._text)
        calls = tuple(
            ToolCall(
                name=_text_or_none(name),
                arguments=clean_text(arguments),
                id=_text_or_none(call_id),
                index=index if isinstance(index, int) else None,
            )
            for index, (call_id, name, arguments) in self._calls.items()
        )
        outcome: Outcome = "answer" if text or calls else "empty"
        if failure is not None:
            outcome = "crash" if is_crash else "exception"
        return SdkView(
            outcome=outcome,
            text=text,
            tool_calls=calls,
            exception_type=None if failure is None else type(failure).__name__,
            exception_message=None if failure is None else one_line(str(failure), MAX_MESSAGE_CHARS),
        )


def sdk_view(wire: bytes, reads: Reads, *, through_helper: bool = False) -> SdkView:
    """Replay recorded bytes through the SDK, offline; `through_helper` takes `chat.completions.stream()`.

    An error of openai's own classes is an exception an application can expect; any other is a crash.
    """
    return _replay(split_wire(wire, reads), _Application(), through_helper=through_helper)


def both_views(wire: bytes, reads: Reads) -> tuple[SdkView, SdkView]:
    """Give the plain view and the helper's, in one replay where that says as much.

    The helper reads the plain stream and leaves out what it does not take for a chunk. Where it handed on every event
    and nothing failed, an application without it would have taken the same chunks.
    """
    application = _Application()
    response = split_wire(wire, reads)
    helper = _replay(response, application, through_helper=True)
    if helper.exception_type is None and application.n_chunks == _n_events(response):
        return helper, helper
    return _replay(response, _Application(), through_helper=False), helper


def _n_events(response: HttpResponse) -> int:
    """Count the events up to [DONE], where the SDK stops reading."""
    events = split_events(response.body).events
    return next((n for n, event in enumerate(events) if (event.data or b"").startswith(b"[DONE]")), len(events))


def _replay(response: HttpResponse, application: _Application, *, through_helper: bool) -> SdkView:
    import openai

    if response.status is None:
        failure = openai.APIConnectionError(message="no response", request=_request())
        return application.view(failure, is_crash=False)
    try:
        with _silence(), _client(response) as client:
            _run(client, application, through_helper=through_helper)
    except openai.OpenAIError as refused:
        return application.view(refused, is_crash=False)
    except Exception as crash:  # noqa: BLE001 - the crash of foreign code is the observation
        return application.view(crash, is_crash=True)
    return application.view(None, is_crash=False)


@contextmanager
def _silence() -> Iterator[None]:
    """OPENAI_LOG makes the SDK log what it sends, and odd values make it warn: neither is news here."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _text_or_none(value: object) -> str | None:
    return clean_text(value) if isinstance(value, str) else None


def _request() -> Any:
    import httpx2  # noqa: PLC0415

    return httpx2.Request("POST", _BASE_URL)


def _client(response: HttpResponse) -> "openai.OpenAI":
    """A client whose transport answers every request with the recorded response."""
    import httpx2  # noqa: PLC0415
    import openai

    content_type = response.header("content-type")
    headers = {} if content_type is None else {"content-type": content_type}

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(response.status or 0, headers=headers, content=response.body)

    return openai.OpenAI(
        api_key=_REPLAY_KEY,
        base_url=_BASE_URL,
        max_retries=0,
        http_client=httpx2.Client(transport=httpx2.MockTransport(answer), trust_env=False),
    )


def _run(client: "openai.OpenAI", application: _Application, *, through_helper: bool) -> None:
    question: Any = {"model": "replay", "messages": [{"role": "user", "content": "replay"}]}
    if not through_helper:
        for chunk in client.chat.completions.create(stream=True, **question):
            application.take(chunk.choices)
        return
    with client.chat.completions.stream(**question) as events:
        for event in events:
            if event.type == "chunk":
                application.take(event.chunk.choices)
