"""Refuses a required gate on cost where an endpoint has no prices, before anything is sent."""

from collections.abc import Iterable

from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.settings import Gates


def refuse_unpriced_cost(golden: GoldenSet, gates: Gates, endpoints: Iterable[Endpoint]) -> None:
    """Raise ConfigError: without prices on both sides the gate could not be judged, and no run would PASS."""
    if not gates.cost_per_success.required or not any(prompt.checks for prompt in golden.prompts):
        return
    unpriced = sorted({endpoint.name for endpoint in endpoints if endpoint.prices is None})
    if unpriced:
        raise ConfigError(
            f"the gate cost_per_success is required, and {' and '.join(unpriced)} "
            f"{'has' if len(unpriced) == 1 else 'have'} no prices",
            remedy="Add prices: to each endpoint file that has none, or give the gate `required: false`",
        )
