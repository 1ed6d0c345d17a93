"""Takes requests out of a connection's bytes; as little of HTTP/1.1 as clients of a chat endpoint use."""

import re

import msgspec

from harness.simulator.apierror import ApiError, RefusedRequest, bad_request
from harness.simulator.metronomescript import Asked
from harness.simulator.metronomeshape import Override, Shape, asked_shape
from harness.simulator.refusals import NOT_HTTP, TOO_LARGE

_MAX_HEAD_BYTES = 256 << 10
_MAX_BODY_BYTES = 64 << 20
_PATH = re.compile(r"/(v1/)?chat/completions")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*\r\n", re.IGNORECASE)
_CODED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*\r\n", re.IGNORECASE)
_NO_SUCH_PATH = ApiError(status=404, message="only POST /v1/chat/completions is served here", kind="not_found_error")
_NO_LENGTH = ApiError(status=411, message="a request body needs a Content-Length", kind="invalid_request_error")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One request as read."""

    method: str
    path: str
    body: bytes
    closes: bool


class _StreamOptions(msgspec.Struct, frozen=True):
    include_usage: bool = False


class _Body(msgspec.Struct, frozen=True):
    model: str = "metronome"
    stream: bool = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    metronome: Override | None = None


def take_request(buffer: bytearray) -> Request | None:
    """Take the first whole request out of the buffer; None while there is none, a refusal for what is none."""
    head_bytes = buffer.find(b"\r\n\r\n") + 4
    if head_bytes < 4:  # noqa: PLR2004  # not found
        if len(buffer) > _MAX_HEAD_BYTES:
            raise RefusedRequest(TOO_LARGE)
        return None
    head = bytes(buffer[:head_bytes])
    n_bytes = head_bytes + _body_bytes(head)
    if len(buffer) < n_bytes:
        return None
    body = bytes(buffer[head_bytes:n_bytes])
    del buffer[:n_bytes]
    method, path = _line(head)
    return Request(method=method, path=path, body=body, closes=_CLOSES.search(head) is not None)


def asked_by(request: Request, default: Shape) -> Asked:
    """Read what is asked for; a refusal for what is not served."""
    if request.method != "POST" or not _PATH.fullmatch(request.path):
        raise RefusedRequest(_NO_SUCH_PATH)
    try:
        body = msgspec.json.decode(request.body, type=_Body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"the body cannot be read: {error}") from None
    if not body.stream:
        raise bad_request("a metronome only streams", param="stream")
    return Asked(
        shape=asked_shape(default, body.metronome, body.max_completion_tokens or body.max_tokens),
        model=body.model,
        includes_usage=body.stream_options is not None and body.stream_options.include_usage,
    )


def _line(head: bytes) -> tuple[str, str]:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) != 3 or not words[2].startswith(b"HTTP/1."):  # noqa: PLR2004  # method, target, version
        raise RefusedRequest(NOT_HTTP)
    return words[0].decode("latin-1"), words[1].decode("latin-1").partition("?")[0]


def _body_bytes(head: bytes) -> int:
    if _CODED.search(head):
        raise RefusedRequest(_NO_LENGTH)
    length = _LENGTH.search(head)
    n_bytes = int(length[1]) if length else 0
    if n_bytes > _MAX_BODY_BYTES:
        raise RefusedRequest(TOO_LARGE)
    return n_bytes
