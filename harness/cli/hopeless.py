"""Refuses a sequence of looks none of which could PASS."""

import math

from harness.errors import ConfigError
from harness.model.golden import GoldenSet
from harness.model.record import LookScheme
from harness.model.settings import Settings


def refuse_hopeless_sequence(golden: GoldenSet, settings: Settings) -> None:
    """Its repeats are fixed: where request success lacks its n at the last look, none of the looks can end in PASS."""
    from harness.analysis.allocation import NEEDED_FOR_PASS, allocate  # noqa: PLC0415  # keeps --help light
    from harness.analysis.looks import SEQUENTIAL_REPEATS  # noqa: PLC0415

    if settings.plan.looks is not LookScheme.SEQUENTIAL:
        return
    for demotion in allocate(golden, settings).demotions:
        if demotion.gate == NEEDED_FOR_PASS:
            needed = math.ceil(demotion.needed / SEQUENTIAL_REPEATS[-1])
            raise ConfigError(
                f"no look of this sequence can PASS, not even the last: {demotion.reason}",
                remedy=f"Use {needed:,} prompts or more, or --certify, which adds repeats as they are needed",
            )
