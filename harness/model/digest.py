"""The digest that pre-registers a plan."""

import hashlib

import msgspec

from harness.model.record import Plan, RunHeader


def plan_sha256(plan: Plan) -> str:
    """Digest of all that is fixed before the first request: prompts, margins, repeats, order, seed."""
    return hashlib.sha256(msgspec.json.encode(plan, order="sorted")).hexdigest()


def matches_digest(header: RunHeader) -> bool:
    """Whether the plan is the one that its last part followed, and the first part's the one that was registered."""
    parts = header.all_parts
    return plan_sha256(header.plan) == parts[-1].plan_sha256 and parts[0].plan_sha256 == header.plan_sha256
