"""Which response headers are recorded, and which of them may be passed on: the one list of each."""

import re

FRAMING = frozenset({"content-type", "content-length", "transfer-encoding", "content-encoding", "connection"})
SERVING = frozenset({"age", "cache-control", "cf-cache-status", "keep-alive", "server", "vary", "via", "x-cache"})
LIMITS = frozenset({"retry-after", "retry-after-ms", "x-should-retry", "x-accel-buffering", "openai-processing-ms"})
_TRACING = frozenset(
    {
        "apim-request-id",
        "cf-ray",
        "date",
        "mistral-correlation-id",
        "openai-model",
        "openai-version",
        "request-id",
        "server-timing",
        "x-amz-cf-id",
        "x-envoy-upstream-service-time",
        "x-generation-id",
        "x-groq-region",
        "x-ms-region",
        "x-request-id",
    }
)
_RECORDED = FRAMING | SERVING | LIMITS | _TRACING
_QUOTA_PREFIXES = ("x-ratelimit-", "ratelimit-", "anthropic-ratelimit-")
_FEW_WORDS = re.compile(r"[\w./=:+*-]{1,64}(?:[,;] ?[\w./=:+*-]{1,32}){0,3}")
_HTTP_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")
_WORD = re.compile(r"[^\W\d_]+")

# All words of a quota's name and of a value that say nothing of whose endpoint it is.
_QUOTA_WORDS = frozenset(
    {
        *("x", "anthropic", "ratelimit", "limit", "remaining", "reset", "used", "after", "policy", "requests"),
        *("request", "tokens", "token", "input", "output", "prompt", "completion", "cached", "images", "audio"),
        *("second", "seconds", "minute", "hour", "day", "month", "concurrent", "priority"),
    }
)
_VALUE_WORDS = _QUOTA_WORDS | frozenset(
    {
        *("text", "event", "stream", "application", "json", "jsonl", "ndjson", "problem", "octet", "html", "plain"),
        *("charset", "utf", "ascii", "iso", "chunked", "identity", "gzip", "deflate", "br", "zstd", "keep", "alive"),
        *("close", "upgrade", "true", "false", "yes", "no", "d", "h", "m", "s", "ms", "us", "ns", "t", "z", "w", "q"),
    }
)


def is_recorded(name: str) -> bool:
    """Whether a header, by its lower-case name, may be recorded; any other may be a cookie or name an account."""
    return name in _RECORDED or name.startswith(_QUOTA_PREFIXES)


def is_name_kept(name: str, *, has_servers: bool = True) -> bool:
    """Whether a name may be passed on: a quota's may itself name a model or an account."""
    if name.startswith(_QUOTA_PREFIXES):
        return has_servers or _QUOTA_WORDS.issuperset(name.split("-"))
    return name == "date" or name in FRAMING or name in LIMITS or name in SERVING


def is_header_kept(name: str, value: str, *, has_servers: bool = True) -> bool:
    """Whether a value may be passed on: it says how the response was framed, limited or served, in a few words.

    Without servers those words are numbers and ones that any server may use.
    """
    if not is_name_kept(name, has_servers=has_servers) or (name in SERVING and not has_servers):
        return False
    if name == "date" or (name == "retry-after" and "," in value):
        return _HTTP_DATE.fullmatch(value) is not None
    return _FEW_WORDS.fullmatch(value) is not None and (has_servers or _is_common(value))


def _is_common(value: str) -> bool:
    return _VALUE_WORDS.issuperset(_WORD.findall(value.lower()))
