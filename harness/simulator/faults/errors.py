"""Faults in place of an answer: connections, statuses, pages."""

from collections.abc import Callable, Mapping

import msgspec

from harness.simulator.apierror import ApiError
from harness.simulator.bodies import error_script, json_script, text_script
from harness.simulator.faults.kind import Fault, kept_headers
from harness.simulator.faults.statuses import status_fault
from harness.simulator.script import After, Framing, Script

_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
)
_SERVER = "server_error"


def _no_response(_: Script) -> Script:
    return Script(status=None, after=After.RESET)


def _malformed_http(_: Script) -> Script:
    return Script(raw_head=b"this is no HTTP\r\n\r\n", framing=Framing.LENGTH, after=After.CLOSE)


def _detail(script: Script) -> Script:
    body = {"detail": [{"loc": ["body", "messages"], "msg": "field required", "type": "value_error.missing"}]}
    return json_script(422, msgspec.json.encode(body), kept_headers(script))


def _flat(script: Script) -> Script:
    body = {
        "object": "error",
        "message": "max_tokens is too large",
        "type": "BadRequestError",
        "param": None,
        "code": 400,
    }
    return json_script(400, msgspec.json.encode(body), kept_headers(script))


def _error_at_200(script: Script) -> Script:
    error = ApiError(status=200, message="The model is overloaded", kind=_SERVER, code="overloaded")
    return error_script(error, kept_headers(script))


def _page(status: int) -> Callable[[Script], Script]:
    return lambda script: text_script(status, _PAGE, kept_headers(script), content_type="text/html")


def _empty_200(script: Script) -> Script:
    kind = "text/event-stream" if script.is_stream else "application/json"
    return text_script(200, b"", kept_headers(script), content_type=kind)


FAULTS: Mapping[str, Fault] = {
    "refuse_connection": Fault(
        effect="Resets the connection at accept; asked for by header or prompt, as soon as the request was read.",
        apply=_no_response,
    ),
    "reset_before_response": Fault(
        effect="Reads the request and resets the connection without a byte.", apply=_no_response
    ),
    "malformed_http": Fault(effect="Answers with bytes that are no HTTP, then closes.", apply=_malformed_http),
    "http_400_flat": Fault(effect="400 with a flat error body and a number as code.", apply=_flat),
    "http_401": Fault(
        effect="401 invalid_api_key.",
        apply=status_fault(401, "Incorrect API key provided", "invalid_request_error", "invalid_api_key"),
    ),
    "http_404": Fault(
        effect="404 model_not_found.",
        apply=status_fault(404, "The model does not exist", "invalid_request_error", "model_not_found"),
    ),
    "http_409": Fault(
        effect="409 conflict.", apply=status_fault(409, "Conflict with another request", "conflict_error")
    ),
    "http_422_detail": Fault(effect="422 with a `detail` list instead of an error.", apply=_detail),
    "http_500": Fault(effect="500 server_error.", apply=status_fault(500, "The server had an error", _SERVER)),
    "http_502": Fault(effect="502 with an error envelope.", apply=status_fault(502, "Bad gateway", _SERVER)),
    "http_503_no_upstream": Fault(
        effect="503 no_upstream: a gateway without a server behind it.",
        apply=status_fault(503, "No upstream is configured for this model", "no_upstream", "no_upstream"),
    ),
    "http_503_loading": Fault(
        effect="503 while the model loads, with Retry-After.",
        apply=status_fault(503, "Loading model", "unavailable_error", "loading", Retry_After="1"),
    ),
    "http_504": Fault(
        effect="504 wake_timeout.",
        apply=status_fault(504, "The model did not wake in time", "wake_timeout", "wake_timeout"),
    ),
    "html_error": Fault(effect="502 with a proxy's HTML page.", apply=_page(502)),
    "html_200": Fault(effect="200 with an HTML page.", apply=_page(200)),
    "json_error_200": Fault(effect="200 with a JSON error instead of an answer.", apply=_error_at_200),
    "empty_200": Fault(effect="200 with an empty body.", apply=_empty_200),
}
