"""Faults in place of an answer: connections, statuses, pages."""

from collections.abc import Callable, Mapping

import msgspec

from harness.simulator.apierror import ApiError
from harness.simulator.bodies import Headers, error_script, json_script, text_script
from harness.simulator.faults.kind import Fault
from harness.simulator.script import After, Framing, Script

_OF_THE_BODY = ("content-type", "content-length", "cache-control")
_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
)
_SERVER = "server_error"


def _kept(script: Script) -> Headers:
    """Give the headers that do not describe the body."""
    return tuple((name, value) for name, value in script.headers if name.lower() not in _OF_THE_BODY)


def _status(
    status: int, message: str, kind: str, code: str | None = None, **headers: str
) -> Callable[[Script], Script]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    error = ApiError(status=status, message=message, kind=kind, code=code, headers=given)
    return lambda script: error_script(error, _kept(script))


def _no_response(_: Script) -> Script:
    return Script(status=None, after=After.RESET)


def _malformed_http(_: Script) -> Script:
    return Script(raw_head=b"this is no HTTP\r\n\r\n", framing=Framing.LENGTH, after=After.CLOSE)


def _detail(script: Script) -> Script:
    body = {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "value_error.missing"}]}
    return json_script(422, msgspec.json.encode(body), _kept(script))


def _flat(script: Script) -> Script:
    body = {
        "object": "error",
        "message": "max_tokens is too large",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    }
    return json_script(400, msgspec.json.encode(body), _kept(script))


def _error_at_200(script: Script) -> Script:
    error = ApiError(status=200, message="The model is overloaded", kind=_SERVER, code="overloaded")
    return error_script(error, _kept(script))


def _redirect(script: Script) -> Script:
    return text_script(302, b"", (("Location", "/elsewhere"), *_kept(script)), content_type="text/plain")


def _page(status: int) -> Callable[[Script], Script]:
    return lambda script: text_script(status, _PAGE, _kept(script), content_type="text/html")


def _empty_200(script: Script) -> Script:
    kind = "text/event-stream" if script.is_stream else "application/json"
    return text_script(200, b"", _kept(script), content_type=kind)


_TOO_MANY = {
    "Retry_After": "1",
    "x_ratelimit_limit_requests": "60",
    "x_ratelimit_remaining_requests": "0",
    "x_ratelimit_reset_requests": "1s",
}

FAULTS: Mapping[str, Fault] = {
    "refuse_connection": Fault(
        effect="Resets the connection at accept; asked for by header or prompt, as soon as the request was read.",
        apply=_no_response,
    ),
    "reset_before_response": Fault(
        effect="Reads the request and resets the connection without a byte.", apply=_no_response
    ),
    "malformed_http": Fault(effect="Answers with bytes that are no HTTP, then closes.", apply=_malformed_http),
    "redirect": Fault(effect="302 to another place.", apply=_redirect),
    "http_400_flat": Fault(effect="400 with a flat error body and a number as code.", apply=_flat),
    "http_401": Fault(
        effect="401 invalid_api_key.",
        apply=_status(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key"),
    ),
    "http_404": Fault(
        effect="404 model_not_found.",
        apply=_status(404, "The model does not exist", "invalid_request_error", "model_not_found"),
    ),
    "http_409": Fault(effect="409 conflict.", apply=_status(409, "Conflict with another request", "conflict_error")),
    "http_422_detail": Fault(effect="422 with a `detail` list instead of an error.", apply=_detail),
    "http_429": Fault(
        effect="429 with Retry-After and x-ratelimit headers.",
        apply=_status(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", **_TOO_MANY),
    ),
    "http_500": Fault(effect="500 server_error.", apply=_status(500, "The server had an error", _SERVER)),
    "http_502": Fault(effect="502 with an error envelope.", apply=_status(502, "Bad gateway", _SERVER)),
    "http_503_no_upstream": Fault(
        effect="503 no_upstream: a gateway without a server behind it.",
        apply=_status(503, "No upstream is configured for this model", "no_upstream", "no_upstream"),
    ),
    "http_503_loading": Fault(
        effect="503 while the model loads, with Retry-After.",
        apply=_status(503, "Loading model", "unavailable_error", "loading", Retry_After="1"),
    ),
    "http_504": Fault(
        effect="504 wake_timeout.", apply=_status(504, "The model did not wake in time", "wake_timeout", "wake_timeout")
    ),
    "html_error": Fault(effect="502 with a proxy's HTML page.", apply=_page(502)),
    "html_200": Fault(effect="200 with an HTML page.", apply=_page(200)),
    "json_error_200": Fault(effect="200 with a JSON error instead of an answer.", apply=_error_at_200),
    "empty_200": Fault(effect="200 with an empty body.", apply=_empty_200),
}
