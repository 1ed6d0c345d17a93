"""Recorded exchanges of servers that we did not write, as the exchanges of a probe."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.model.probe import ProbeExchange, ProbeResult
from harness.model.record import Arm, Attempt, Reads, RequestKey
from harness.probes.catalogue import PROBES
from harness.probes.classify import classify
from harness.probes.probe import Target

NS_PER_MS = 1_000_000
_OF_FRAMING = ("content-length", "transfer-encoding", "content-encoding")
CASES = {  # the recordings that hold a probe's requests, with the label that each has there
    "models": (("models", "list"),),
    "chat": (("nonstream", "chat"),),
    "stream": (("stream", "stream"),),
    "stream_usage": (("stream_usage", "usage"),),
    "max_tokens": (("max_tokens_5", "five"),),
    "max_completion_tokens": (("max_completion_tokens_5", "five"),),
    "stop_array5": (("stop_5", "five"),),
    "greedy_repeat": (("temp0_a", "greedy"), ("temp0_b", "greedy")),
    "seed": (("seed7_a", "seed 7"), ("seed7_b", "seed 7"), ("seed8", "seed 8")),
    "n": (("n2", "plain"), ("n2_stream", "stream")),
    "logprobs": (("logprobs", "three"),),
    "logit_bias": (("logit_bias_100", "bias"),),
    "json_object": (("json_object", "object"),),
    "tool_none": (("tools_none", "none"),),
    "image": (("image_part", "red"),),
    "unknown_field": (("unknown_field", "unknown"),),
    "error_unknown_model": (("unknown_model", "model"),),
    "error_bad_key": (("bad_key", "key"),),
    "error_bad_json": (("malformed_json", "json"),),
    "error_wrong_type": (("messages_string", "type"),),
    "error_over_long": (("too_long", "long"),),
}


def reduced(found: dict[str, Any]) -> dict[str, Any]:
    """Keep of a recording what a judge reads: no host, no credentials, no date."""
    response, body = found["response"], found["request"]["body"]
    kept = ("content-type", "x-request-id", "retry-after")
    return {
        "asked": body if isinstance(body, dict) else {},
        "status": response["status"],
        "headers": [[name, value] for name, value in response["headers"] if name.lower() in kept],
        "reads": response["raw_chunks"],
    }


def exchange_of(label: str, trial: int, found: dict[str, Any]) -> tuple[ProbeExchange, bytes]:
    """Frame a reduced recording: its head is a read of its own, each piece of body a chunk."""
    lines = [f"{name}: {value}" for name, value in found["headers"] if name.lower() not in _OF_FRAMING]
    head = "\r\n".join([f"HTTP/1.1 {found['status']} X", *lines, "Transfer-Encoding: chunked", "", ""]).encode()
    pieces = [text.encode() for _, text in found["reads"]]
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece]
    parts = [head, *chunks, b"0\r\n\r\n"]
    at_ns = tuple(range(NS_PER_MS, (len(parts) + 1) * NS_PER_MS, NS_PER_MS))
    reads = Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=tuple(map(len, parts)), source="u" * len(parts))
    attempt = Attempt(
        key=RequestKey(arm=Arm.REFERENCE, prompt_id="recorded", repeat=trial),
        attempt=1,
        block=0,
        request_sha256="",
        request_bytes=0,
        intended_at_ns=0,
        sent_at_ns=0,
        ended_at_ns=at_ns[-1],
        status=found["status"],
        reads=reads,
    )
    exchange = ProbeExchange(
        probe="recorded",
        label=label,
        trial=trial,
        method="POST",
        target="/v1/chat/completions",
        body=json.dumps(found["asked"]),
        attempt=attempt,
    )
    return exchange, b"".join(parts)


def classified(probe_id: str, recordings: Iterable[dict[str, Any]], model: str) -> ProbeResult:
    """Judge recordings as the probe whose requests they hold."""
    probe = next(probe for probe in PROBES if probe.id == probe_id)
    exchanges = [
        exchange_of(label, trial, found)
        for trial, ((_, label), found) in enumerate(zip(CASES[probe_id], recordings, strict=True))
    ]
    return classify(probe, exchanges, Target(model=model, window=1024))


def recordings_in(folder: Path, probe_id: str) -> list[dict[str, Any]]:
    """Read a probe's recordings from a folder of one server's."""
    return [reduced(json.loads((folder / f"{name}.json").read_text("utf-8"))) for name, _ in CASES[probe_id]]
