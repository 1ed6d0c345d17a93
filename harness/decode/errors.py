"""Errors as servers write them, whatever the shape, read into one type."""

import re
from dataclasses import dataclass
from typing import Any

from harness.decode.findings import one_line
from harness.decode.payload import decode_payload, text_or_none
from harness.decode.sse import split_events

MAX_MESSAGE_CHARS = 500
MAX_PAGE_BYTES = 16 * 1024  # where a page's title is looked for: the search takes quadratic time on a page of torn tags
_HTML = re.compile(rb"\s*(?:<!doctype|<html|<head|<body|<\?xml)", re.IGNORECASE)
_TITLE = re.compile(rb"<(?:title|h1)[^<>]*>(.*?)</", re.IGNORECASE | re.DOTALL)
_SSE_START = re.compile(rb"\s*(?:data|event|error|id|retry)?:")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerError:
    """What a server said went wrong."""

    message: str
    shape: str  # openai, flat, detail, string, message, html, empty, other
    code: str | None = None
    error_type: str | None = None


def error_in(payload: dict[str, Any]) -> ServerError | None:
    """The error that a JSON object at status 200 is or holds; None for a chunk or a completion."""
    error = payload.get("error")
    if error:
        return error_of(payload)
    choices = payload.get("choices")
    if choices:
        return _error_of_choice(choices)
    if payload.get("object") == "error":
        return error_of(payload)
    if "choices" in payload or "usage" in payload:
        return None
    if error is not None or isinstance(payload.get("message"), str) or payload.get("detail"):
        return error_of(payload)
    return None


def _error_of_choice(choices: object) -> ServerError | None:
    if isinstance(choices, list) and isinstance(choices[0], dict) and choices[0].get("error"):
        return error_of(choices[0])
    return None


def error_of(payload: object) -> ServerError:
    """Read any JSON value as an error; a list stands for its first object."""
    if isinstance(payload, list):
        payload = next((item for item in payload if isinstance(item, dict)), payload)
    if not isinstance(payload, dict):
        return ServerError(message=_message(payload), shape="string" if isinstance(payload, str) else "other")
    error = payload.get("error")
    if isinstance(error, dict):
        return _from_object(error, "openai")
    if isinstance(error, str) and error:
        return ServerError(message=_message(error), shape="string", code=text_or_none(payload.get("code")))
    if payload.get("detail"):
        return ServerError(message=_message(payload["detail"]), shape="detail")
    if text_or_none(payload.get("message")):
        is_flat = payload.get("object") == "error" or "type" in payload or "code" in payload
        return _from_object(payload, "flat" if is_flat else "message")
    return _from_object(payload, "other")


def _from_object(error: dict[str, Any], shape: str) -> ServerError:
    message = error.get("message")
    return ServerError(
        message=_message(message if text_or_none(message) else error),
        shape=shape,
        code=text_or_none(error.get("code")),
        error_type=text_or_none(error.get("type")),
    )


def _message(value: object) -> str:
    """One line; a nested structure is shown as far as its repr stays short."""
    if isinstance(value, str):
        return one_line(value, MAX_MESSAGE_CHARS)
    try:
        return one_line(repr(value), MAX_MESSAGE_CHARS)
    except RecursionError:
        return "(nested too deeply to show)"


def error_of_body(body: bytes) -> ServerError:
    """Read the body of a failed response: JSON, SSE, HTML, plain text or nothing."""
    stripped = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not stripped:
        return ServerError(message="(empty body)", shape="empty")
    payload = decode_payload(stripped)
    if payload.error is None:
        return error_of(payload.value)
    if _HTML.match(stripped):
        title = _TITLE.search(stripped, 0, MAX_PAGE_BYTES)
        return ServerError(message=_message(_text(title[1] if title else stripped)), shape="html")
    if _SSE_START.match(stripped):
        return _error_of_events(stripped)
    return ServerError(message=_message(_text(stripped)), shape="string")


def _error_of_events(body: bytes) -> ServerError:
    for event in split_events(body).events:
        payload = decode_payload(event.error or event.data or b"")
        if payload.error is None:
            return error_of(payload.value)
    return ServerError(message=_message(_text(body)), shape="other")


def _text(body: bytes) -> str:
    return body[: 8 * MAX_MESSAGE_CHARS].decode("utf-8", "replace")
