"""Drafts become golden prompts: ids, categories, intents, features, and the checks that a request implies."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from harness.model.chatrequest import (
    kind_of_request,
    message_text,
    messages_of,
    required_features,
    response_kind,
    response_schema,
)
from harness.model.foreign.draft import Draft, canonical_json
from harness.model.golden import JSON_CHECKS, Check, CheckKind, Prompt

_MOST_OF_A_NAME = 48  # of the 64 characters of an id: the rest parts equal names
_MOST_OF_A_TEXT = 90
_NOT_IN_AN_ID = re.compile(r"[^a-z0-9._]+")


def prompts_of(drafts: Iterable[Draft], *, prefix: str) -> Iterator[Prompt]:
    """Give a prompt for each draft; the same file gives the same ids, and so does a longer one."""
    taken: set[str] = set()
    for draft in drafts:
        prompt_id = _unused_id(draft, prefix, taken)
        taken.add(prompt_id)
        yield Prompt(
            id=prompt_id,
            category=kind_of_request(draft.request),
            intent=draft.intent or _intent(draft.request),
            request=draft.request,
            checks=[*draft.checks, *implied_checks(draft)],
            requires=required_features(draft.request),
            example=draft.example,
        )


def implied_checks(draft: Draft) -> list[Check]:
    """Check what the request itself demands: JSON, and its schema; beside tools a call may stand in its place."""
    if response_kind(draft.request) is None or draft.request.get("tools"):
        return []
    if any(check.kind in JSON_CHECKS for check in draft.checks):
        return []
    schema = response_schema(draft.request)
    if schema is None:
        return [Check(kind=CheckKind.JSON_VALID, argument=True)]
    return [Check(kind=CheckKind.JSON_SCHEMA, argument=schema)]


def _unused_id(draft: Draft, prefix: str, taken: set[str]) -> str:
    """Give the file's own name, else one made of the request's digest, so that other lines do not move it."""
    digest = hashlib.sha256(canonical_json(draft.request).encode()).hexdigest()[:8]
    named = _slug(draft.name or "") or f"{prefix}-{digest}"
    if named in taken:
        named = named if named.endswith(digest) else f"{named}-{digest}"
    n_before, unused = 1, named
    while unused in taken:
        n_before += 1
        unused = f"{named}-{n_before}"
    return unused


def _slug(name: str) -> str:
    slug = _NOT_IN_AN_ID.sub("-", name.lower()).strip("-._")
    return slug[:_MOST_OF_A_NAME].rstrip("-._")


def _intent(request: dict[str, Any]) -> str:
    """Quote what the user said last: it is what a reader of the report sees beside a failure."""
    said = [message_text(message) for message in messages_of(request) if message["role"] == "user"]
    text = " ".join((said[-1] if said else "").split())
    short = text if len(text) <= _MOST_OF_A_TEXT else f"{text[:_MOST_OF_A_TEXT]} …"
    return f"Imported: {short or 'a request without a text of the user'}"
