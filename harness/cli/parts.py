"""Writes the parts of a run into its header: one for each command that measured for it."""

import shlex
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.clock import SystemClock
from harness.model.digest import matches_digest, plan_sha256
from harness.model.record import ClientFacts, Part, Plan, RunHeader, RunStatus

if TYPE_CHECKING:
    from harness.cli.resuming import Resumed

_UNREGISTERED = " of a plan that did not match its digest"
_DIED = "its process ended without a word"


def new_part(plan: Plan, clock: SystemClock, *, look: int = 1, notes: tuple[str, ...] = ()) -> Part:
    """Give the part that this command begins."""
    from harness.measure.provenance import provenance  # noqa: PLC0415  # keeps --help light

    return Part(
        started_at=clock.now().isoformat(),
        command=shlex.join(["bench", *sys.argv[1:]]),
        plan_sha256=plan_sha256(plan),
        look=look,
        provenance=provenance(clock),
        notes=notes,
    )


def resumed_header(resumed: "Resumed", part: Part) -> RunHeader:
    """Give the header of a run that goes on; the plan's digest stays the one that was registered."""
    earlier = tuple(_ended(before) for before in resumed.header.all_parts)
    if not matches_digest(resumed.header):  # a digest of this plan now would vouch for what was not registered
        part = replace(part, plan_sha256=f"{part.plan_sha256}{_UNREGISTERED}")
    return replace(
        resumed.header,
        status=RunStatus.RUNNING,
        status_reason=None,
        ended_at=None,
        plan=resumed.plan,
        parts=(*earlier, part),
    )


def _ended(part: Part) -> Part:
    if part.status is not RunStatus.RUNNING:
        return part
    return replace(part, status=RunStatus.INTERRUPTED, status_reason=_DIED)


def ended_parts(header: RunHeader, clock: dict[str, Any], client: tuple[ClientFacts, ...]) -> dict[str, Any]:
    """Give the header's fields on what measured: those of the last part as it ended, and of all parts together."""
    from harness.measure.clockfacts import merge_clock_facts  # noqa: PLC0415  # keeps --help light

    last = replace(header.all_parts[-1], clock=clock, client=client)
    parts = (*header.all_parts[:-1], last)
    arms = dict.fromkeys(arm for part in parts for arm in part.clock)
    return {
        "parts": parts,
        "clock": {arm: merge_clock_facts([part.clock[arm] for part in parts if arm in part.clock]) for arm in arms},
        "client": tuple(process for part in parts for process in part.client),
    }
