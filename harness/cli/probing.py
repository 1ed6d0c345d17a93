"""Runs probes for a command: cost beforehand, a line per probe, a folder with the evidence."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.cli.screen import say
from harness.clock import SystemClock
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeResult
from harness.model.probestorage import SUFFIX

if TYPE_CHECKING:
    from harness.probes.catalogue import ProbeCost
    from harness.probes.probe import Probe

_SECONDS_PER_MINUTE = 60


def cost_of(endpoint: Endpoint, probes: Sequence["Probe"], thinking_tokens: int = 0) -> "ProbeCost":
    """Estimate what probing an endpoint takes at most, its requests written as its file has them."""
    from harness.measure.probecompose import dialect_of  # noqa: PLC0415
    from harness.probes.catalogue import estimate_cost  # noqa: PLC0415
    from harness.probes.probe import Target  # noqa: PLC0415

    sent = [probe for probe in probes if not probe.needs_key or endpoint.api_key or endpoint.headers]
    target = Target(model=endpoint.model, window=endpoint.context_window, thinking_tokens=thinking_tokens)
    return estimate_cost(sent, target, endpoint.prices, dialect_of(endpoint))


def say_probes(endpoint: Endpoint, probes: Sequence["Probe"], cost: "ProbeCost", rate: int | None = None) -> None:
    """Say what probing an endpoint takes at most, before anything is sent."""
    from harness.measure.probing import DEFAULT_REQUESTS_PER_MINUTE  # noqa: PLC0415

    per_minute = rate or endpoint.limits.requests_per_minute or DEFAULT_REQUESTS_PER_MINUTE
    money = "cost unknown (no price book)" if cost.price is None else f"at most {cost.price:.4f} {cost.currency}"
    repeated = _repeated(probes)
    pace = f"{_duration(cost.n_requests / per_minute)} at {per_minute} evenly spaced requests per minute"
    say(
        f"probing {endpoint.name}: {_probes(len(probes))}{repeated}, at most {_requests(cost.n_requests)}, about "
        f"{cost.prompt_tokens:,} prompt and at most {cost.max_completion_tokens:,} completion tokens, {money}; {pace}, "
        "longer where answers take longer",
        indent="  ",
    )
    if cost.unknown:
        why = "fill a context window that the file does not state (context_window)"
        say(f"not sent and not counted: {', '.join(cost.unknown)}, whose prompts {why}", indent="  ")
    if cost.n_unbounded:
        say(
            f"{cost.n_unbounded} requests have no budget, as the file drops it: counted as 4,096 tokens each",
            indent="  ",
        )
    if not endpoint.tls.verify:
        say(f"WARNING: TLS certificates of {endpoint.name} are not verified")


def _probes(n: int) -> str:
    return "1 probe" if n == 1 else f"{n} probes"


def _requests(n: int) -> str:
    return "1 request" if n == 1 else f"{n} requests"


def _repeated(probes: Sequence["Probe"]) -> str:
    """Say how often those are asked that hang on the model's choice."""
    times = sorted({probe.trials for probe in probes if probe.needs_model})
    if not times:
        return ""
    n = sum(probe.needs_model for probe in probes)
    span = f"{times[0]}" if len(times) == 1 else f"{times[0]} to {times[-1]}"
    verbs = ("hangs", "is") if n == 1 else ("hang", "are")
    return f" ({n} of them {verbs[0]} on the model's choice and {verbs[1]} asked {span} times)"


def _duration(minutes: float) -> str:
    return f"{minutes * _SECONDS_PER_MINUTE:.0f} s" if minutes < 2 else f"{minutes:.0f} min"  # noqa: PLR2004  # readable


def probe_endpoint(
    endpoint: Endpoint,
    probes: Sequence["Probe"],
    out: Path,
    *,
    quiet: bool,
    rate: int | None = None,
    thinking_tokens: int = 0,
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
        thinking_tokens=thinking_tokens,
        observe=(lambda *_: None) if quiet else _say,
    )
    run_probing(probing, folder)
    return folder


def _say(result: ProbeResult, n_done: int, n_all: int) -> None:
    click.echo(f"{n_done}/{n_all} {result.id}: {result.outcome}", err=True)
