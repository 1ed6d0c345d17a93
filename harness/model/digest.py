"""The digest that pre-registers a plan."""

import hashlib

import msgspec

from harness.model.record import Plan


def plan_sha256(plan: Plan) -> str:
    """Digest of all that is fixed before the first request: prompts, margins, repeats, order, seed."""
    return hashlib.sha256(msgspec.json.encode(plan, order="sorted")).hexdigest()
