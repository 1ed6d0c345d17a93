"""What one delta or message says, by channel."""

from dataclasses import dataclass
from typing import Any

from harness.decode.findings import Findings
from harness.model.record import FindingKind

_REASONING_FIELDS = ("reasoning_content", "reasoning", "reasoning_details", "thinking")
_TEXT_KEYS = ("text", "content", "thinking", "summary", "reasoning")
MAX_PART_DEPTH = 4


@dataclass(frozen=True, slots=True)
class Spoken:
    """Text of one delta by channel; tool calls are assembled elsewhere."""

    content: str = ""
    reasoning: str = ""
    refusal: str = ""
    audio_chars: int = 0

    @property
    def has_any(self) -> bool:
        """Whether it holds output."""
        return bool(self.content or self.reasoning or self.refusal or self.audio_chars)


def spoken_in(delta: dict[str, Any], findings: Findings) -> Spoken:
    """Read the text channels of a delta or message."""
    raw = delta.get("content")
    content, reasoning = (raw, "") if isinstance(raw, str) else _content_parts(raw, findings)
    refusal = delta.get("refusal")
    return Spoken(
        content,
        _reasoning(delta, findings) or reasoning,
        refusal if isinstance(refusal, str) else "",
        _audio_chars(delta.get("audio")),
    )


def _content_parts(raw: object, findings: Findings) -> tuple[str, str]:
    """Content given as parts: text parts are content, thinking parts are reasoning."""
    if raw is None:
        return "", ""
    if not isinstance(raw, list):
        findings.note(FindingKind.UNDECODABLE_EVENT, f"content is {type(raw).__name__}")
        return "", ""
    content: list[str] = []
    reasoning: list[str] = []
    for part in raw:
        is_thought = isinstance(part, dict) and part.get("type") in ("thinking", "reasoning")
        (reasoning if is_thought else content).append(_text_of(part))
    if any(reasoning):
        findings.note(FindingKind.REASONING_FIELD, "content[].thinking")
    return "".join(content), "".join(reasoning)


def _reasoning(delta: dict[str, Any], findings: Findings) -> str:
    """The first field that has text; servers that fill two write the same text twice."""
    for field in _REASONING_FIELDS:
        value = delta.get(field)
        if value and (text := value if isinstance(value, str) else _text_of(value)):
            findings.note(FindingKind.REASONING_FIELD, field)
            return text
    return ""


def _text_of(part: object, depth: int = 0) -> str:
    """Text inside a part or a list of parts, to a small depth."""
    if isinstance(part, str):
        return part
    if depth > MAX_PART_DEPTH:
        return ""
    if isinstance(part, list):
        return "".join(_text_of(inner, depth + 1) for inner in part)
    if isinstance(part, dict):
        return next((text for key in _TEXT_KEYS if (text := _text_of(part.get(key), depth + 1))), "")
    return ""


def _audio_chars(audio: object) -> int:
    """Characters of transcript, else of encoded sound."""
    if not isinstance(audio, dict):
        return 0
    for key in ("transcript", "data"):
        value = audio.get(key)
        if isinstance(value, str) and value:
            return len(value)
    return 0
