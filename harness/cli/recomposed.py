"""A recorded request composed again: what was sent, with every secret struck out."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from harness.cli.recorded import RecordedRequest
from harness.errors import ConfigError
from harness.model.endpoint import Endpoint, KeySource
from harness.model.golden import Prompt
from harness.model.record import Attempt

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STRUCK = "***"
_SECRET_NAME = re.compile(r"(?i)key|token|secret|sig|password|auth")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomposed:
    """What this version composes for the request, and whether that is what was sent."""

    method: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: str = field(default="")
    is_as_sent: bool | None = None  # None: it could not be composed
    note: str = ""


def recomposed(request: RecordedRequest) -> Recomposed:
    """Compose the request anew; the recorded digest of method, target and body says whether it is the same."""
    from harness.measure.compose import Composer  # noqa: PLC0415  # the SDK loads here

    endpoint = _with_named_key(request.side.endpoint)
    try:
        prompt = _prompt(request)
        if prompt is None:
            return Recomposed(note="the first answer of its tool loop is not on record: it cannot be composed again")
        composed = Composer(endpoint, _without_secrets(endpoint)).compose(prompt, is_streamed=request.key.is_streamed)
    except ConfigError as refused:
        return Recomposed(note=f"it cannot be composed again: {refused}")
    is_as_sent = composed.sha256 == request.attempt.request_sha256
    port = "" if composed.port == _DEFAULT_PORTS[composed.scheme] else f":{composed.port}"
    return Recomposed(
        method=composed.method,
        url=_without_credentials(f"{composed.scheme}://{composed.host}{port}{composed.target}"),
        headers=tuple(_headers(composed.head)),
        body=composed.body.decode("utf-8", "replace"),
        is_as_sent=is_as_sent,
        note="" if is_as_sent else _why_not_as_sent(request),
    )


def _why_not_as_sent(request: RecordedRequest) -> str:
    if request.side.golden.redacted_from is not None:
        return "not what was sent: in a redacted copy, digests stand for the prompt's words"
    return "its digest is not the recorded one: another version composed it, or a file changed"


def _prompt(request: RecordedRequest) -> Prompt | None:
    """Give the prompt as it was asked; of a second turn, with the first answer and the tools' results."""
    from harness.decode.message import received_message  # noqa: PLC0415
    from harness.measure.toolloop import second_turn  # noqa: PLC0415

    prompt = next((one for one in request.side.golden.prompts if one.id == request.key.prompt_id), None)
    if prompt is None or request.key.turn == 1:
        return prompt
    first = _first_turn(request)
    answer = received_message(request.side.run.wire(first), first.reads) if first else None
    return None if answer is None else second_turn(prompt, answer)


def _first_turn(request: RecordedRequest) -> Attempt | None:
    wanted = request.attempt.block
    return next(
        (
            one
            for one in request.side.run.attempts
            if one.key.arm is request.key.arm and one.block == wanted and not one.key.is_follow_up and one.attempt == 1
        ),
        None,
    )


def _with_named_key(endpoint: Endpoint) -> Endpoint:
    """Put a variable in place of a file or a command, which is not run again only to be struck out."""
    if not isinstance(endpoint.api_key, KeySource):
        return endpoint
    return msgspec.structs.replace(endpoint, api_key="${KEY}")


def _without_secrets(endpoint: Endpoint) -> dict[str, str]:
    """Give every variable that the endpoint file names, struck out: nothing of the environment is read."""
    texts = (str(endpoint.api_key or ""), *endpoint.headers.values())
    return {name: _STRUCK for text in texts for name in _REFERENCE.findall(text)}


def _headers(head: bytes) -> list[tuple[str, str]]:
    lines = head.decode("latin-1").split("\r\n")[1:]
    pairs = [line.partition(": ") for line in lines if line]
    return [(name, _STRUCK if _is_secret(name) else value) for name, _, value in pairs]


def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None or name.lower() == "cookie"


def _without_credentials(url: str) -> str:
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = urlencode([(name, _STRUCK if _SECRET_NAME.search(name) else value) for name, value in pairs], safe="*")
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, ""))
