"""Composes each request as the application would: the openai SDK makes it, nothing is sent."""

import base64
import hashlib
import html
import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

from harness.errors import ConfigError
from harness.hidden import hide
from harness.measure.body import request_parameters, without_streaming
from harness.measure.keysource import key_from
from harness.measure.wire.proxy import proxy_of
from harness.measure.wire.redact import SHORTEST_SECRET
from harness.model.endpoint import Endpoint, KeySource
from harness.model.golden import Prompt

if TYPE_CHECKING:
    import httpx2
    import openai

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_FOR_USERS = frozenset(
    {"accept-encoding", "connection", "content-length", "content-type", "expect", "te", "transfer-encoding", "upgrade"}
)
_NO_KEY = "none"  # the SDK wants one; the header it would make is taken out again
_DEFAULT_PORTS = {"http": 80, "https": 443}
_URL_SAFE = str.maketrans("+/", "-_")
_AMBIENT_HEADERS = ("OpenAI-Organization", "OpenAI-Project")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedRequest:
    """A ready HTTP/1.1 request; the head holds the key, so it is never shown."""

    method: str
    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    head: bytes = field(repr=False)  # request line and headers, blank line included
    body: bytes = field(repr=False)
    sha256: str  # of method, target and body; credentials left out

    @property
    def n_bytes(self) -> int:
        """Size on the wire."""
        return len(self.head) + len(self.body)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Whom a connection must lead to."""
        return self.scheme, self.host, self.port


class Composer:
    """One endpoint's SDK client on a transport that keeps the request instead of sending it."""

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str]) -> None:
        """Resolve every reference; ConfigError names the variable, never its value."""
        self._endpoint = endpoint
        values: dict[str, str] = {}
        self._key = _resolve_key(endpoint, environ, values)
        self._headers = _resolve_headers(endpoint, environ, values)
        self.secrets = _secret_forms(values.values())
        hide(self.secrets)
        proxy_of(endpoint.base_url, environ)  # refuses one we cannot use
        self._captured: list[httpx2.Request] = []
        self._client = self._sdk_client(environ)

    def __repr__(self) -> str:
        """Show no header."""
        return f"Composer({self._endpoint.name})"

    def compose(self, prompt: Prompt, *, is_streamed: bool = True) -> ComposedRequest:
        """Let the SDK compose the prompt's request; ConfigError for what it cannot write."""
        named, unnamed = self._arguments(prompt, is_streamed=is_streamed)
        try:
            create: Any = self._client.chat.completions.create
            answer = create(**named, extra_body=unnamed, extra_headers=self._headers)
        except (TypeError, ValueError) as refused:
            raise ConfigError(
                f"the request of prompt {prompt.id!r} cannot be composed ({type(refused).__name__}: {refused})",
                where=self._endpoint.name,
                remedy="Every value must be writable as JSON",
            ) from None
        if is_streamed:
            answer.close()
        return _composed(self._captured.pop())

    def _arguments(self, prompt: Prompt, *, is_streamed: bool) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the SDK has a parameter for, and the rest, which goes into its extra_body."""
        parameters = inspect.signature(self._client.chat.completions.create).parameters
        known = {name for name in parameters if not name.startswith("extra_")} - {"timeout"}
        body = request_parameters(prompt, self._endpoint, is_streamed=is_streamed)
        extra = self._endpoint.extra_body
        if not is_streamed:
            body, extra = without_streaming(body) | {"stream": False}, without_streaming(extra)
        named = {name: value for name, value in body.items() if name in known}
        return named, {name: value for name, value in body.items() if name not in known} | extra

    def _sdk_client(self, environ: Mapping[str, str]) -> "openai.OpenAI":
        import httpx2  # noqa: PLC0415  # as heavy as the SDK
        import openai

        def keep(request: httpx2.Request) -> httpx2.Response:
            self._captured.append(request)
            return httpx2.Response(200, json={})  # an answer to either form; a stream's is never read

        url = urlsplit(self._endpoint.base_url)
        ours: dict[str, Any] = dict.fromkeys(_ambient_names(environ), openai.Omit())
        ours["Authorization"] = openai.Omit() if self._key is None else f"Bearer {self._key}"
        self._headers = _merged(ours, self._headers) | {"Accept-Encoding": "identity", "Connection": "keep-alive"}
        return openai.OpenAI(
            api_key=_NO_KEY if self._key is None else self._key,
            base_url=urlunsplit((url.scheme, url.netloc, url.path, "", "")),
            default_query=_query(self._endpoint),
            max_retries=0,
            http_client=httpx2.Client(transport=httpx2.MockTransport(keep), trust_env=False),
        )


def _ambient_names(environ: Mapping[str, str]) -> list[str]:
    """Headers that the SDK would take from our environment: they are not for whomever base_url names."""
    lines = environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    names = [line.partition(":")[0].strip() for line in lines if ":" in line]
    return [*_AMBIENT_HEADERS, *(name for name in names if name.lower() != "authorization")]


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Merge by name without regard to case."""
    names = {name.lower() for name in above}
    return {name: value for name, value in below.items() if name.lower() not in names} | dict(above)


def _query(endpoint: Endpoint) -> dict[str, object]:
    """The query string of base_url, which the SDK wants apart from it."""
    pairs = parse_qsl(urlsplit(endpoint.base_url).query, keep_blank_values=True)
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        raise ConfigError("base_url repeats a query parameter", where=endpoint.name)
    return dict(pairs)


def _resolve_headers(endpoint: Endpoint, environ: Mapping[str, str], values: dict[str, str]) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    for name, template in endpoint.headers.items():
        _refuse_header(name, headers, endpoint)
        headers[name] = _resolve(template, f"headers.{name}", endpoint, environ, values)
    return headers


def _refuse_header(name: str, taken: Mapping[str, Any], endpoint: Endpoint) -> None:
    lower = name.lower()
    problem = None
    if not _HEADER_NAME.fullmatch(name):
        problem = f"{name!r} is no header name"
    elif lower in _NOT_FOR_USERS:
        problem = f"header {name!r} is set by the harness or the SDK"
    elif lower in {other.lower() for other in taken}:
        problem = f"header {name!r} is given twice"
    elif lower == "authorization" and endpoint.api_key is not None:
        problem = "api_key and headers both give an Authorization"
    if problem is not None:
        raise ConfigError(problem, where=endpoint.name, remedy="Correct or remove it under headers:")


def _resolve_key(endpoint: Endpoint, environ: Mapping[str, str], values: dict[str, str]) -> str | None:
    """Get the key from where the file says; a secret like the values of variables."""
    if not isinstance(endpoint.api_key, KeySource):
        return _resolve(endpoint.api_key, "api_key", endpoint, environ, values)
    key = key_from(endpoint.api_key, f"{endpoint.name}: api_key", environ)
    values["the key's source"] = key
    return key


def _resolve(
    template: str | None, key: str, endpoint: Endpoint, environ: Mapping[str, str], values: dict[str, str]
) -> str | None:
    """Put the variables in and note their values, which are the secrets."""
    if template is None:
        return None
    where = f"{endpoint.name}: {key}"
    if "${" in _REFERENCE.sub("", template):
        raise ConfigError("a reference is not of the form ${NAME}", where=where)
    for name in _REFERENCE.findall(template):
        values[name] = _variable(name, where, environ)
    text = _REFERENCE.sub(lambda match: values[match[1]], template)
    if not _is_plain(text):
        raise ConfigError("the value holds a character that no header may hold", where=where)
    return text


def _variable(name: str, where: str, environ: Mapping[str, str]) -> str:
    value = environ.get(name, "")
    if not value:
        state = "is empty" if name in environ else "is not set"
        raise ConfigError(f"environment variable {name} {state}", where=where, remedy=f"Set it: export {name}=...")
    if not _is_plain(value):
        raise ConfigError(
            f"environment variable {name} holds a line break, another control character or a blank at an end",
            where=where,
            remedy="Set it to the bare value, without a newline",
        )
    return value


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and text == text.strip()


def _secret_forms(values: Any) -> tuple[bytes, ...]:
    """Every form in which a server may echo a secret: as it is, quoted for JSON, URLs or HTML, in base64."""
    forms: dict[str, None] = {}
    for value in values:
        if len(value) >= SHORTEST_SECRET:
            in_json = json.dumps(value)[1:-1]
            escaped = (quote(value, safe=""), quote_plus(value), quote(value, safe="").lower(), html.escape(value))
            forms |= dict.fromkeys((value, in_json, in_json.replace("/", "\\/"), *escaped))
            forms |= dict.fromkeys(_base64_forms(value))
    return tuple(form.encode() for form in forms)


def _base64_forms(value: str) -> list[str]:
    """The value in base64, and what of that is the same wherever it stands in a longer text."""
    coded = [base64.b64encode(value.encode()).decode().rstrip("=")]
    for shift in range(3):
        inner = base64.b64encode(bytes(shift) + value.encode()).decode().rstrip("=")
        n_bits = 8 * (shift + len(value))
        coded.append(inner[-(-8 * shift // 6) : n_bits // 6])
    long = [form for form in coded if len(form) >= SHORTEST_SECRET]
    return [*long, *(form.translate(_URL_SAFE) for form in long)]


def _composed(request: "httpx2.Request") -> ComposedRequest:
    url, body = request.url, request.read()
    target = url.raw_path
    lines = [b"%s %s HTTP/1.1" % (request.method.encode(), target)]
    lines += [b"%s: %s" % (name, value) for name, value in request.headers.raw]
    fingerprint = b"\n".join((request.method.encode(), target, body))
    return ComposedRequest(
        method=request.method,
        scheme=url.scheme,
        host=url.raw_host.decode("ascii"),
        port=url.port or _DEFAULT_PORTS[url.scheme],
        target=target.decode("ascii"),
        head=b"\r\n".join(lines) + b"\r\n\r\n",
        body=body,
        sha256=hashlib.sha256(fingerprint).hexdigest(),
    )
