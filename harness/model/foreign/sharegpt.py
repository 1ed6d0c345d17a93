"""ShareGPT conversations (`from`, `value`): their prompts only, since the answers are another model's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.model.foreign.draft import Item, Skipped, draft_of_body
from harness.model.jsonitems import read_json_items

_ROLES = {
    "system": "system",
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "assistant": "assistant",
    "model": "assistant",
}


def read_sharegpt(file: Path) -> Iterator[Item]:
    """Give a draft for each conversation, up to the last thing that the person said."""
    for item in read_json_items(file):
        yield _item(item.value, f"{file}:{item.line}")


def _item(line: Any, where: str) -> Item:
    turns = line.get("conversations") if isinstance(line, dict) else None
    if not isinstance(turns, list) or not turns:
        return Skipped(where=where, reason="no conversation")
    messages = [_message(turn) for turn in turns]
    known = [message for message in messages if message is not None]
    if len(known) < len(messages):
        return Skipped(where=where, reason="a turn that is neither the person's, the model's nor the system's")
    sent = _from_the_person_to_the_person(known)
    if not sent:
        return Skipped(where=where, reason="nothing that a person said")
    name = line.get("id")
    item = draft_of_body({"messages": sent}, where=where, name=name if isinstance(name, str) else None)
    if isinstance(item, Skipped) or len(sent) == len(known):
        return item
    return replace(item, changes=(*item.changes, "answers at the start or end left out"))


def _message(turn: Any) -> dict[str, Any] | None:
    role = _ROLES.get(str(turn.get("from")).lower()) if isinstance(turn, dict) else None
    text = turn.get("value") if isinstance(turn, dict) else None
    return None if role is None or not isinstance(text, str) else {"role": role, "content": text}


def _from_the_person_to_the_person(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out answers before the first question, which begin many of these files' parts, and after the last."""
    asked = [i for i, message in enumerate(messages) if message["role"] == "user"]
    if not asked:
        return []
    opening = [message for message in messages[: asked[0]] if message["role"] == "system"]
    return [*opening, *messages[asked[0] : asked[-1] + 1]]
