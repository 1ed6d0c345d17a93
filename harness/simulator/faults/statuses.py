"""Faults of status: limits of four kinds, refusals, and the rest of what gateways answer."""

from collections.abc import Callable, Mapping

from harness.simulator.apierror import ApiError
from harness.simulator.bodies import error_script, text_script
from harness.simulator.faults.kind import Fault, kept_headers
from harness.simulator.script import Script


def status_fault(
    status: int, message: str, kind: str, code: str | None = None, **headers: str
) -> Callable[[Script], Script]:
    """Answer with an error envelope; underscores in names of headers become dashes."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    error = ApiError(status=status, message=message, kind=kind, code=code, headers=given)
    return lambda script: error_script(error, kept_headers(script))


def _bare(status: int, body: bytes = b"") -> Callable[[Script], Script]:
    return lambda script: text_script(status, body, kept_headers(script), content_type="text/plain")


def _redirect(status: int, **location: str) -> Callable[[Script], Script]:
    given = tuple((name.capitalize(), value) for name, value in location.items())
    return lambda script: text_script(status, b"", (*given, *kept_headers(script)), content_type="text/plain")


_OWN_QUOTA = {
    "Retry_After": "1",
    "x_ratelimit_limit_requests": "60",
    "x_ratelimit_remaining_requests": "0",
    "x_ratelimit_reset_requests": "1s",
}
_OF_TOKENS = {
    "Retry_After": "1",
    "x_ratelimit_limit_requests": "60",
    "x_ratelimit_remaining_requests": "59",
    "x_ratelimit_limit_tokens": "1000",
    "x_ratelimit_remaining_tokens": "0",
    "x_ratelimit_reset_tokens": "1.5s",
}
_NOT_OURS = {"x_ratelimit_limit_requests": "60", "x_ratelimit_remaining_requests": "59"}
_SERVER = "server_error"

FAULTS: Mapping[str, Fault] = {
    "http_429": Fault(
        effect="429 with Retry-After and x-ratelimit headers: the caller's own quota of requests.",
        apply=status_fault(429, "Rate limit reached for requests", "requests", "rate_limit_exceeded", **_OWN_QUOTA),
    ),
    "http_429_tokens": Fault(
        effect="429 of the caller's quota of tokens, requests being left.",
        apply=status_fault(429, "Rate limit reached for tokens", "tokens", "rate_limit_exceeded", **_OF_TOKENS),
    ),
    "http_429_capacity": Fault(
        effect="429 of an engine that is overloaded, though the caller's quota is not used up.",
        apply=status_fault(429, "The engine is currently overloaded", _SERVER, "engine_overloaded", **_NOT_OURS),
    ),
    "http_429_bare": Fault(effect="429 without any header or envelope.", apply=_bare(429, b"Too Many Requests")),
    "http_429_quota_spent": Fault(
        effect="429 insufficient_quota: money, which no waiting brings back.",
        apply=status_fault(429, "You exceeded your current quota", "insufficient_quota", "insufficient_quota"),
    ),
    "http_402": Fault(
        effect="402 payment required.",
        apply=status_fault(402, "Your budget is spent", "billing_error", "payment_required"),
    ),
    "http_403": Fault(
        effect="403 for a key that lacks the right.",
        apply=status_fault(403, "The key may not use this model", "invalid_request_error", "permission_denied"),
    ),
    "http_400_filtered": Fault(
        effect="400 content_filter: refused before the model saw it.",
        apply=status_fault(400, "The prompt was filtered", "invalid_request_error", "content_filter"),
    ),
    "http_408": Fault(effect="408 request timeout.", apply=status_fault(408, "Request timeout", "timeout")),
    "http_413": Fault(effect="413 without a body.", apply=_bare(413)),
    "http_503_bare": Fault(effect="503 without a word on why.", apply=_bare(503)),
    "http_504_bare": Fault(effect="504 of a proxy, in plain text.", apply=_bare(504, b"upstream request timeout")),
    "http_529": Fault(
        effect="529 overloaded: a status of nobody's list.",
        apply=status_fault(529, "Overloaded", "overloaded_error"),
    ),
    "redirect": Fault(effect="302 to another path of the same host.", apply=_redirect(302, location="/elsewhere")),
    "redirect_other_host": Fault(
        effect="307 to another host, with a token in its address.",
        apply=_redirect(307, location="https://elsewhere.example/v1/chat/completions?token=tok-of-a-stranger"),
    ),
    "redirect_nowhere": Fault(effect="301 without a Location.", apply=_redirect(301)),
}
