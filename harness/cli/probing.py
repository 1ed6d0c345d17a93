"""Runs probes for a command: cost beforehand, a line per probe, a folder with the evidence."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.clock import SystemClock
from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeResult
from harness.model.probestorage import SUFFIX

if TYPE_CHECKING:
    from harness.probes.probe import Probe

_SECONDS_PER_MINUTE = 60


def announce_probes(endpoint: Endpoint, probes: Sequence["Probe"], rate: int | None, *, quiet: bool) -> float | None:
    """Say what probing an endpoint takes at most; gives the money, None where no price book says it."""
    from harness.measure.probing import DEFAULT_REQUESTS_PER_MINUTE  # noqa: PLC0415
    from harness.probes.catalogue import estimate_cost  # noqa: PLC0415
    from harness.probes.probe import Target  # noqa: PLC0415

    target = Target(model=endpoint.model, window=endpoint.context_window)
    cost = estimate_cost(probes, target, endpoint.prices)
    per_minute = rate or endpoint.limits.requests_per_minute or DEFAULT_REQUESTS_PER_MINUTE
    minutes = cost.n_requests / per_minute
    money = "cost unknown (no price book)" if cost.price is None else f"at most {cost.price:.4f} {cost.currency}"
    if not quiet:
        click.echo(
            f"probing {endpoint.name}: {len(probes)} probes, {cost.n_requests} requests, about {cost.prompt_tokens:,} "
            f"prompt and at most {cost.max_completion_tokens:,} completion tokens, {money}; {per_minute} requests per "
            f"minute, so {_duration(minutes)} or more",
            err=True,
        )
    return cost.price


def _duration(minutes: float) -> str:
    return f"{minutes * _SECONDS_PER_MINUTE:.0f} s" if minutes < 2 else f"{minutes:.0f} min"  # noqa: PLR2004  # readable


def probe_endpoint(
    endpoint: Endpoint, probes: Sequence["Probe"], out: Path, *, quiet: bool, rate: int | None = None
) -> Path:
    """Probe one endpoint and give its probe folder; a failed probe is a result as any other."""
    from harness.measure.probing import Probing, run_probing  # noqa: PLC0415

    probing_id = f"{SystemClock().now():%Y%m%dT%H%M%S}-{endpoint.name}-{secrets.token_hex(2)}{SUFFIX}"
    folder = out / probing_id
    probing = Probing(
        endpoint=endpoint,
        probes=tuple(probes),
        probing_id=probing_id,
        environ=os.environ,
        requests_per_minute=rate,
        window=endpoint.context_window,
        observe=(lambda *_: None) if quiet else _say,
    )
    run_probing(probing, folder)
    return folder


def _say(result: ProbeResult, n_done: int, n_all: int) -> None:
    click.echo(f"{n_done}/{n_all} {result.id}: {result.outcome}", err=True)


def refuse_over_budget(costs: Sequence[float | None], max_cost: float | None) -> None:
    """Refuse before anything is sent."""
    if max_cost is None:
        return
    if any(cost is None for cost in costs):
        raise ConfigError(
            "--max-cost needs a price book on every endpoint", remedy="Add prices: to each endpoint file that has none"
        )
    total = sum(cost for cost in costs if cost is not None)
    if total > max_cost:
        raise ConfigError(
            f"the probes may cost {total:.4f}, more than --max-cost {max_cost:.4f}; nothing was sent",
            remedy="Choose fewer (--group, --probe) or raise --max-cost",
        )
