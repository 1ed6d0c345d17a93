"""Masks the wire bytes of one response: head, chunk framing and body each by its own rule, every length as it was."""

import re
from http import HTTPStatus

import httptools

from harness.decode.body import kind_of_body
from harness.decode.headers import is_header_kept, is_name_kept
from harness.decode.http import FIRST_FINAL_STATUS, response_parser, split_wire
from harness.decode.maskedbody import mask_body
from harness.decode.maskedjson import Kept, fill
from harness.model.record import Reads

_STATUS_LINE = re.compile(rb"(?P<code>HTTP/\d\.\d \d{3})(?P<space> ?)(?P<reason>[^\r\n]*)")
_CHUNK_LINE = re.compile(rb"(?P<size>[0-9A-Fa-f]{0,16})(?P<rest>[^\r\n]*)(?P<end>[\r\n]*)", re.DOTALL)
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_REASONS = frozenset(status.phrase.encode() for status in HTTPStatus)


class _Listener:
    """Notes which bytes of a line are body, and whether the head is over."""

    def __init__(self) -> None:
        self.n_body = 0
        self.has_head = False
        self.is_complete = False
        self.parser = response_parser(self)

    def on_headers_complete(self) -> None:
        """Only a final head is one."""
        self.has_head = self.has_head or self.parser.get_status_code() >= FIRST_FINAL_STATUS

    def on_body(self, piece: bytes) -> None:
        """Within one line the body stands first: what frames it comes before a line's beginning or at its end."""
        if self.has_head and not self.is_complete:
            self.n_body += len(piece)

    def on_message_complete(self) -> None:
        """The end of the response, unless it was an interim one."""
        self.is_complete = self.is_complete or self.has_head


def mask_wire(wire: bytes, reads: Reads, kept: Kept) -> bytes | None:
    """Give bytes of the same length that decode alike; None where the body is coded and cannot be masked in place."""
    response = split_wire(wire, reads)
    if response.coding is not None:
        return None
    masked, spans = _framed(wire, kept)
    body = b"".join(wire[start:end] for start, end in spans)
    if body != response.body:
        return None
    clean, at = mask_body(body, kind_of_body(response), kept), 0
    for start, end in spans:
        masked[start:end] = clean[at : at + end - start]
        at += end - start
    return bytes(masked)


def _framed(wire: bytes, kept: Kept) -> tuple[bytearray, list[tuple[int, int]]]:
    """Mask all but the body, line by line; give where the body lies."""
    listener, masked, spans, at = _Listener(), bytearray(wire), [], 0
    is_broken = False
    for line in _LINE.findall(wire):
        was_head, was_complete, listener.n_body = not listener.has_head, listener.is_complete, 0
        if not is_broken and not was_complete:
            try:
                listener.parser.feed_data(line)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                is_broken = True
        n_body = listener.n_body
        if n_body:
            spans.append((at, at + n_body))
        rest = line[n_body:]
        masked[at + n_body : at + len(line)] = _masked_framing(
            rest, kept, is_head=was_head, is_over=was_complete or is_broken
        )
        at += len(line)
    return masked, spans


def _masked_framing(line: bytes, kept: Kept, *, is_head: bool, is_over: bool) -> bytes:
    if is_head and not is_over:
        return _masked_head_line(line, kept)
    found = _CHUNK_LINE.fullmatch(line)
    if is_over or found is None:
        return fill(line)
    if found["rest"][:1] in b"; \t":
        return found["size"] + found["rest"][:1] + fill(found["rest"][1:]) + found["end"]
    name, colon, value = (found["size"] + found["rest"]).partition(b":")  # a trailer
    return fill(name) + colon + fill(value) + found["end"]


def _masked_head_line(line: bytes, kept: Kept) -> bytes:
    status = _STATUS_LINE.match(line)
    if status is not None:
        reason = status["reason"] if status["reason"] in _REASONS else fill(status["reason"])
        return status["code"] + status["space"] + reason + line[status.end() :]
    text = line.rstrip(b"\r\n")
    name, colon, value = text.partition(b":")
    word = name.strip().decode("latin-1").lower()
    if colon and is_header_kept(word, value.strip().decode("latin-1"), has_servers=kept.has_models):
        return line
    start = len(value) - len(value.lstrip(b" \t"))
    is_known = is_name_kept(word, has_servers=kept.has_models)
    return (name if is_known else _filled(name)) + colon + value[:start] + _filled(value[start:]) + line[len(text) :]


def _filled(text: bytes) -> bytes:
    """Mask part of a head line; what had been struck out of it before stays recognisable."""
    return re.sub(rb"[^ \t*]", b"x", text)
