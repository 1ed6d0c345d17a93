"""Composes a probe's requests: head and credentials as the SDK writes them, the body as the probe says."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from harness.errors import ConfigError
from harness.measure.compose import ComposedRequest, Composer
from harness.model.endpoint import Endpoint
from harness.model.golden import Prompt
from harness.probes.probe import BASE, Ask, Dialect, Target, body_of

_CHAT = "/chat/completions"
_WRONG_KEY = b"sk-bench-wrong-key"
_OF_BODY = (b"content-length", b"content-type")


class ProbeComposer:
    """One endpoint's requests; what its file renames and drops holds for all but what is probed."""

    def __init__(self, endpoint: Endpoint, environ: Mapping[str, str]) -> None:
        """Resolve the references; ConfigError names a variable that is missing."""
        composer = Composer(endpoint, environ)
        self.secrets = composer.secrets
        prompt = Prompt(id="probe", category="probe", intent="A head to send.", request=dict(BASE))
        self._template = composer.compose(prompt, is_streamed=False)
        self._dialect = dialect_of(endpoint)

    def __repr__(self) -> str:
        """Show no header."""
        return "ProbeComposer()"

    def compose(self, ask: Ask, target: Target) -> ComposedRequest:
        """Give one request; ConfigError where base_url is not one that chat requests go to."""
        body = b"" if ask.method == "GET" else self._body(ask, target)
        path, mark, query = self._template.target.partition("?")
        if not path.endswith(_CHAT):
            raise ConfigError(f"{path} is no chat endpoint", remedy="Give the base_url that the SDK would take")
        full = path.removesuffix(_CHAT) + ask.path + mark + query
        head = self._head(ask, full, len(body))
        digest = hashlib.sha256(b"\n".join((ask.method.encode(), full.encode(), body))).hexdigest()
        return replace(self._template, method=ask.method, target=full, head=head, body=body, sha256=digest)

    def _body(self, ask: Ask, target: Target) -> bytes:
        if ask.raw is not None:
            return ask.raw
        return msgspec.json.encode(body_of(ask, target, self._dialect))

    def _head(self, ask: Ask, target: str, n_bytes: int) -> bytes:
        lines = [f"{ask.method} {target} HTTP/1.1".encode()]
        for line in self._template.head.removesuffix(b"\r\n\r\n").split(b"\r\n")[1:]:
            name = line.partition(b":")[0].lower()
            if name == b"accept-encoding":
                lines.append(b"Accept-Encoding: " + ask.accept_encoding.encode())
            elif name not in _OF_BODY:
                lines.append(self._unkeyed(line) if ask.wrong_key else line)
        if ask.method != "GET":
            lines += [b"Content-Type: application/json", b"Content-Length: %d" % n_bytes]
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _unkeyed(self, line: bytes) -> bytes:
        for secret in self.secrets:
            line = line.replace(secret, _WRONG_KEY)
        name, _, _ = line.partition(b":")
        return b"Authorization: Bearer " + _WRONG_KEY if name.lower() == b"authorization" else line

    def struck(self, text: bytes) -> str:
        """Give a request's text for the journal, secrets struck out."""
        for secret in self.secrets:
            text = text.replace(secret, b"*" * len(secret))
        return text.decode("utf-8", "replace")


def dialect_of(endpoint: Endpoint) -> Dialect:
    """Give what an endpoint file says of every request."""
    params = endpoint.params
    return Dialect(base=_base_of(endpoint), rename=params.rename, drop=frozenset(params.drop))


def _base_of(endpoint: Endpoint) -> dict[str, Any]:
    params = endpoint.params
    renamed = {params.rename.get(name, name): value for name, value in BASE.items()}
    kept = {name: value for name, value in renamed.items() if name not in params.drop}
    return kept | params.add | endpoint.extra_body
