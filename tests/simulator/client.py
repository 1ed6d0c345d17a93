"""A client of the tests' own: plain sockets, so that nothing of the harness judges the simulator."""

import json
import re
import socket
import zlib
from dataclasses import dataclass
from typing import Any

LIMIT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What came over the wire, taken apart by hand."""

    wire: bytes
    is_reset: bool = False

    @property
    def head(self) -> bytes:
        return self.wire.partition(b"\r\n\r\n")[0]

    @property
    def status(self) -> int:
        return int(self.head.split(b" ")[1])

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode().split("\r\n")[1:]
        return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def payload(self) -> bytes:
        return self.wire.partition(b"\r\n\r\n")[2]

    @property
    def chunks(self) -> list[bytes]:
        """Chunks of a chunked body; a last one that is cut is left out."""
        found, rest = [], self.payload
        while match := re.match(rb"([0-9a-f]+)\r\n", rest):
            size, start = int(match[1], 16), match.end()
            if len(rest) < start + size + 2:
                break
            found.append(rest[start : start + size])
            rest = rest[start + size + 2 :]
        return found

    @property
    def body(self) -> bytes:
        body = b"".join(self.chunks) if "transfer-encoding" in self.headers else self.payload
        return zlib.decompress(body, 31) if self.headers.get("content-encoding") == "gzip" else body

    @property
    def is_whole(self) -> bool:
        """Whether the body's end was marked or its length reached."""
        if "transfer-encoding" in self.headers:
            return self.payload.endswith(b"0\r\n\r\n")
        return len(self.payload) == int(self.headers["content-length"])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[bytes]:
        """What stands after `data:` in each whole event."""
        return [
            match[1] for match in re.finditer(rb"^(?:\xef\xbb\xbf)?data: ?(.*?)\r?\n\r?\n", self.body, re.MULTILINE)
        ]

    @property
    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(event) for event in self.events if event.startswith(b'{"')]

    @property
    def deltas(self) -> list[dict[str, Any]]:
        return [choice["delta"] for payload in self.payloads for choice in payload.get("choices", [])]

    @property
    def text(self) -> str:
        return "".join(delta.get("content") or "" for delta in self.deltas)

    @property
    def fragments(self) -> list[dict[str, Any]]:
        return [fragment for delta in self.deltas for fragment in delta.get("tool_calls") or []]

    @property
    def arguments(self) -> str:
        return "".join(fragment["function"]["arguments"] for fragment in self.fragments)

    @property
    def finish_reasons(self) -> list[str]:
        reasons = [c.get("finish_reason") for payload in self.payloads for c in payload.get("choices", [])]
        return [reason for reason in reasons if reason]

    @property
    def usages(self) -> list[dict[str, Any]]:
        return [payload["usage"] for payload in self.payloads if payload.get("usage")]

    @property
    def is_done(self) -> bool:
        return b"[DONE]" in self.events


def http(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """Give the bytes of a request; underscores in names become dashes."""
    fields = {"Host": "localhost", "Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def chat(messages: Any, *, stream: bool = True, **more: Any) -> bytes:
    """Give a chat body; a text becomes one user message. Streams ask for usage."""
    given = [{"role": "user", "content": messages}] if isinstance(messages, str) else messages
    body = {"model": "sim-model", "temperature": 0, "messages": given, "stream": stream} | more
    if stream:
        body.setdefault("stream_options", {"include_usage": True})
    return json.dumps(body).encode()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)


def exchange(port: int, request: bytes) -> Raw:
    """Send a request, say that no other follows, read to the end."""
    try:
        connected = connect(port)
    except ConnectionResetError:  # reset at accept, before the connecting call came back
        return Raw(wire=b"", is_reset=True)
    with connected as sock:
        sock.sendall(request)
        try:
            sock.shutdown(socket.SHUT_WR)
        except OSError:  # reset already
            return Raw(wire=b"", is_reset=True)
        return read_all(sock)


def read_all(sock: socket.socket) -> Raw:
    wire = b""
    try:
        while data := sock.recv(1 << 16):
            wire += data
    except ConnectionResetError:
        return Raw(wire=wire, is_reset=True)
    return Raw(wire=wire)


def ask(port: int, messages: Any, *, stream: bool = True, headers: dict[str, str] | None = None, **more: Any) -> Raw:
    """Ask for a chat completion."""
    body = chat(messages, stream=stream, **more)
    return exchange(port, http("POST", "/v1/chat/completions", body, **(headers or {})))
