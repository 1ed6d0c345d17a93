"""Scripts of one body of known length: JSON, errors, pages."""

from harness.simulator.apierror import ApiError
from harness.simulator.script import Event, Framing, Script

Headers = tuple[tuple[str, str], ...]


def json_script(status: int, body: bytes, headers: Headers, *, at_ns: int = 0, n_tokens: int = 0) -> Script:
    """Write a script of one JSON body."""
    return _script(status, headers, "application/json", Event(at_ns, body, n_tokens))


def text_script(status: int, body: bytes, headers: Headers, *, content_type: str) -> Script:
    """Write a script of one body of another type, due at once."""
    return _script(status, headers, content_type, Event(0, body))


def error_script(error: ApiError, headers: Headers) -> Script:
    """Write a script of an error response, due at once."""
    return json_script(error.status, error.body, (*error.headers.items(), *headers))


def _script(status: int, headers: Headers, content_type: str, event: Event) -> Script:
    return Script(
        status=status,
        headers=(("Content-Type", content_type), ("Content-Length", str(len(event.data))), *headers),
        framing=Framing.LENGTH,
        head_at_ns=event.at_ns,
        events=(event,),
    )
