"""Which of the closed set of failures a response is, if any."""

from dataclasses import replace
from urllib.parse import urlsplit

from harness.decode.assemble import Assembled
from harness.decode.errors import ServerError, error_of_body
from harness.decode.findings import one_line
from harness.decode.http import HttpResponse
from harness.model.record import Failure, FailureKind

_BY_STATUS = {
    401: FailureKind.AUTHENTICATION,
    402: FailureKind.REFUSED_BY_BUDGET,
    403: FailureKind.AUTHENTICATION,
    404: FailureKind.NOT_FOUND,
    408: FailureKind.CONFLICT,
    409: FailureKind.CONFLICT,
    429: FailureKind.RATE_LIMITED,
    500: FailureKind.SERVER_ERROR,
    502: FailureKind.BAD_GATEWAY,
    503: FailureKind.UNAVAILABLE,
    504: FailureKind.GATEWAY_TIMEOUT,
}
_BY_HUNDRED = {3: FailureKind.REDIRECT, 4: FailureKind.BAD_REQUEST, 5: FailureKind.SERVER_ERROR}
_SUCCESS_HUNDRED = 2
_UNAVAILABLE = 503
_MAX_HOST_CHARS = 260
_REFUSALS = (
    "budget",
    "contentfilter",
    "contentpolicy",
    "responsibleaipolicy",
    "insufficientquota",
    "insufficientcredit",
    "insufficientbalance",
    "billinghardlimit",
    "quotaexceeded",
    "spendlimit",
    "paymentrequired",
)
_NO_UPSTREAM = (
    "noupstream",
    "nohealthyupstream",
    "noavailableserver",
    "nobackend",
    "nohealthybackend",
    "noavailablebackend",
)


def failure_of_status(response: HttpResponse) -> Failure | None:
    """The failure that a final status other than 2xx is, with what its body says."""
    status = response.status
    if status is None or status // 100 == _SUCCESS_HUNDRED:
        return None
    error = error_of_body(response.body)
    kind = _BY_STATUS.get(status) or _BY_HUNDRED.get(status // 100, FailureKind.NOT_A_COMPLETION)
    if kind is not FailureKind.REDIRECT and _is_refusal(error):
        kind = FailureKind.REFUSED_BY_BUDGET
    elif kind is FailureKind.REDIRECT:
        error = replace(error, message=f"{status} to {_target(response)}: never followed, the key would go along")
    elif status == _UNAVAILABLE and _says(error, _NO_UPSTREAM, with_message=True):
        kind = FailureKind.NO_UPSTREAM
    return _failure(kind, error)


def _target(response: HttpResponse) -> str:
    """Name the host of a redirect; the rest of its address is not recorded, for it may hold a token."""
    location = (response.header("location") or "").strip()
    if not location:
        return "nowhere (no Location)"
    try:
        host = urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return "an address that is none"
    return one_line(host, _MAX_HOST_CHARS) if host else "another path of the same host"


def failure_of_stream(told: Assembled, *, was_streamed: bool) -> Failure | None:
    """The failure that a 2xx completion is after all."""
    if told.error is not None:
        refused = _is_refusal(told.error)
        return _failure(FailureKind.REFUSED_BY_BUDGET if refused else FailureKind.ERROR_IN_STREAM, told.error)
    is_ended = told.is_done or told.answer.finish_reason is not None
    if told.n_objects and not told.has_completion and not told.is_done:
        return Failure(kind=FailureKind.NOT_A_COMPLETION, message="nothing in it is a completion", shape="other")
    if was_streamed and not is_ended:
        return Failure(kind=FailureKind.TRUNCATED_STREAM, message="ended without finish_reason and without [DONE]")
    if told.has_output:
        return None
    if told.answer.finish_reason == "content_filter":
        return Failure(kind=FailureKind.REFUSED_BY_BUDGET, message="content_filter", code="content_filter")
    return Failure(kind=FailureKind.EMPTY_ANSWER, message="complete, without any output")


def failure_of_other_body(response: HttpResponse) -> Failure:
    """The failure that a 2xx body is when it is neither a stream nor a JSON object."""
    error = error_of_body(response.body)
    is_empty = error.shape == "empty"
    return _failure(FailureKind.EMPTY_ANSWER if is_empty else FailureKind.NOT_A_COMPLETION, error)


def _is_refusal(error: ServerError) -> bool:
    return _says(error, _REFUSALS, with_message=False)


def _says(error: ServerError, words: tuple[str, ...], *, with_message: bool) -> bool:
    """Whether code or type, and the message where asked, name one of the words."""
    texts = [error.code, error.error_type, error.message if with_message else None]
    plain = ["".join(filter(str.isalnum, text.lower())) for text in texts if text]
    return any(word in text for word in words for text in plain)


def _failure(kind: FailureKind, error: ServerError) -> Failure:
    return Failure(kind=kind, message=error.message, code=error.code, error_type=error.error_type, shape=error.shape)
