"""Tries an endpoint with a few probes: whether its address answers, and a completion, a stream, a tool call."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from harness.cli.screen import say
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeClass, ProbeReport

if TYPE_CHECKING:
    from harness.probes.probe import Probe

PROBES = {"chat": "completion", "stream": "stream", "tool_auto": "tool call"}
_NEEDED = ("chat", "stream")  # without these nothing can be measured
_GOOD = frozenset({ProbeClass.SUPPORTED, ProbeClass.ACCEPTED})
_NOT_FOUND = 404
_DEADLINE_S = 20.0
_VERSION = "/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """What came back to GET /models."""

    status: int | None
    models: tuple[str, ...] = ()
    trouble: str = ""


def reach(endpoint: Endpoint) -> Reached:
    """Ask an endpoint for its models; it costs nothing."""
    from harness.measure.probing import Probing, run_probing  # noqa: PLC0415  # keeps --help light
    from harness.model.probestorage import load_probing  # noqa: PLC0415
    from harness.probes.seen import see  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="bench-init-") as folder:
        path = Path(folder) / "probe"
        probing = Probing(
            endpoint=endpoint,
            probes=_probes(("models",)),
            probing_id="init",
            environ=os.environ,
            deadline_s=_DEADLINE_S,
        )
        run_probing(probing, path)
        stored = load_probing(path)
        exchange = stored.exchanges[0]
        seen = see(exchange, stored.wire(exchange), model=endpoint.model)
        entries = [entry for value in seen.objects for entry in value.get("data") or [] if isinstance(entry, dict)]
        failure = exchange.attempt.failure
        return Reached(
            status=exchange.attempt.status,
            models=tuple(str(entry["id"]) for entry in entries if entry.get("id")),
            trouble=f"{failure.kind}: {failure.message}" if failure else "",
        )


def better_url(endpoint: Endpoint, reached: Reached) -> str | None:
    """Give the address with /v1 where the one given answers 404 and that one does not."""
    url = endpoint.base_url.rstrip("/")
    if reached.status != _NOT_FOUND or url.endswith(_VERSION):
        return None
    other = msgspec.structs.replace(endpoint, base_url=url + _VERSION)
    status = reach(other).status
    return other.base_url if status is not None and status != _NOT_FOUND else None


def _probes(ids: tuple[str, ...]) -> tuple["Probe", ...]:
    from harness.probes.catalogue import chosen  # noqa: PLC0415

    return chosen((), ids)


def announce_smoke(endpoint: Endpoint) -> None:
    """Say what the smoke test of an endpoint takes at most."""
    from harness.cli.probing import cost_of, say_probes  # noqa: PLC0415

    probes = _probes(tuple(PROBES))
    say_probes(endpoint, probes, cost_of(endpoint, probes))


def smoke(endpoint: Endpoint, out: Path) -> ProbeReport:
    """Send the probes; the evidence stays in a probe folder."""
    from harness.cli.probing import probe_endpoint  # noqa: PLC0415
    from harness.model.probestorage import load_probe_report  # noqa: PLC0415

    return load_probe_report(probe_endpoint(endpoint, _probes(tuple(PROBES)), out, quiet=True))


def say_smoke(endpoint: Endpoint, report: ProbeReport) -> bool:
    """Say what each brought; whether the endpoint can be measured."""
    for result in report.results:
        is_good = result.outcome in _GOOD
        head = f"  {'works' if is_good else result.outcome:<13}{PROBES[result.id]}: {result.evidence}"
        say(head if is_good or not result.change else f"{head.removesuffix('.')}. {result.change}", indent=" " * 15)
    outcomes = {result.id: result.outcome for result in report.results}
    is_usable = all(outcomes.get(name) in _GOOD for name in _NEEDED)
    if not is_usable:
        click.echo(f"  {endpoint.name} cannot be measured like this", err=True)
    return is_usable
