"""The finish reason: last non-empty value, as sent."""

from harness.decode.findings import Findings
from harness.decode.payload import text_or_none
from harness.model.record import FindingKind, ToolCall

KNOWN = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
INTERRUPTED = frozenset({"error", "insufficient_system_resource"})
_WITH_TOOLS = frozenset({"tool_calls", "function_call"})


class FinishReason:
    """Collects finish reasons over a response."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self.value: str | None = None

    def take(self, reason: object) -> bool:
        """Take one chunk's value; True when it is the one that counts so far."""
        if reason is None:
            return False
        text = text_or_none(reason)
        if text is None:
            self._findings.note(FindingKind.FINISH_REASON_EMPTY, repr(reason)[:40])
            return False
        if self.value is not None:
            self._findings.note(FindingKind.FINISH_REASON_REPEATED, f"{self.value}, then {text}")
        if text not in KNOWN:
            self._findings.note(FindingKind.FINISH_REASON_UNKNOWN, text[:80])
        self.value = text
        return True

    def judge(self, tool_calls: tuple[ToolCall, ...]) -> None:
        """Note a reason that the tool calls contradict; the calls present are what counts."""
        if self.value in _WITH_TOOLS and not tool_calls:
            self._findings.note(FindingKind.FINISH_REASON_CONTRADICTS, f"{self.value} without a tool call")
        if self.value == "stop" and tool_calls:
            self._findings.note(FindingKind.FINISH_REASON_CONTRADICTS, "stop beside tool calls")
