"""When a response last brought output, asked while it is still arriving."""

from typing import Any

from harness.decode.assemble import DONE, delta_of
from harness.decode.channels import spoken_in
from harness.decode.findings import Findings
from harness.decode.http import split_wire
from harness.decode.payload import decode_payload
from harness.decode.sse import SseEvent, split_events
from harness.decode.toolcalls import ToolCallAssembler
from harness.model.record import Reads


def last_output_at_ns(wire: bytes, reads: Reads) -> int | None:
    """Instant of the last complete event with output so far; None before the first. Total.

    Looks from the end, so that only the keep-alives behind the last output are decoded.
    """
    response = split_wire(wire, reads)
    for event in reversed(split_events(response.body).events):
        if event.is_finished and _has_output(event):
            read = response.read_of(event.end)
            return None if read is None or read >= len(reads.at_ns) else reads.at_ns[read]
    return None


def _has_output(event: SseEvent) -> bool:
    data = event.data.strip() if event.data else b""
    if not data or data.startswith(DONE):
        return False
    value = decode_payload(data).value
    choices = value.get("choices") if isinstance(value, dict) else None
    if not isinstance(choices, list):
        return False
    return any(_choice_has_output(choice) for choice in choices if isinstance(choice, dict))


def _choice_has_output(choice: dict[str, Any]) -> bool:
    """Output of any choice keeps a stream alive, not only of the one that is judged."""
    delta = delta_of(choice, is_chunk=True)
    if delta is None:
        return False
    findings = Findings()
    spoken = spoken_in(delta, findings)
    return spoken.has_any or ToolCallAssembler(findings).take(delta, is_chunk=True) > 0
