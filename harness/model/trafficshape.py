"""What a request of the traffic is like: its features, and the text by which equal requests are known."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.model.chatrequest import message_text, messages_of, n_user_turns, response_kind
from harness.model.language import guess_language

_LENGTHS = ((500, "under 500"), (2_000, "500 to 2k"), (8_000, "2k to 8k"), (32_000, "8k to 32k"))
_LONGEST = "over 32k"
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")  # dates, times, amounts
_NOT_A_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a request is like, from the most to the least telling feature."""

    use: str  # tools, structured, tools and structured, plain
    length: str  # characters of all messages
    turns: str  # of the user: single, several
    language: str  # of the user's messages

    @property
    def features(self) -> tuple[str, ...]:
        """Give the features in the order in which strata are cut."""
        return (self.use, self.length, self.turns, self.language)


def shape_of(request: Mapping[str, Any]) -> Shape:
    """Give the features of a request."""
    has_tools, is_structured = bool(request.get("tools")), response_kind(request) is not None
    messages = messages_of(request)
    n_characters = sum(len(message_text(message)) for message in messages)
    said = "\n".join(message_text(message) for message in messages if message.get("role") == "user")
    return Shape(
        use=" and ".join((["tools"] if has_tools else []) + (["structured"] if is_structured else [])) or "plain",
        length=next((name for bound, name in _LENGTHS if n_characters < bound), _LONGEST),
        turns="several turns" if n_user_turns(request) > 1 else "one turn",
        language=guess_language(said),
    )


def text_key(request: Mapping[str, Any]) -> int:
    """Digest the texts without case, numbers, punctuation and white space; the tools count, their words do not."""
    parts = [f"{message.get('role')} {_normal(message_text(message))}" for message in messages_of(request)]
    uses = f"{bool(request.get('tools'))} {response_kind(request)}"
    digest = hashlib.sha256("\n".join([uses, *parts]).encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big")


def _normal(text: str) -> str:
    words = _NUMBER.sub("0", unicodedata.normalize("NFKC", text).casefold())
    return _NOT_A_WORD.sub(" ", words).strip() or text.strip()
