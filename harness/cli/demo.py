"""`bench demo`: the main job on two simulated endpoints."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import msgspec
import yaml

from harness.cli.helppage import SectionedCommand
from harness.cli.options import isolating_options, reporting_options
from harness.model.endpoint import Endpoint, Labels, Limits, Prices
from harness.model.record import Arm

_TIERS = {
    Arm.REFERENCE: ("sim-h100", "2x H100 (simulated)"),
    Arm.CANDIDATE: ("sim-a100", "2x A100 (simulated)"),
}
_DEMO_SEED = 20260101


@click.command(cls=SectionedCommand)
@click.option("--repeats", type=click.IntRange(1, 1000), help="Fewest repeats of every prompt on each side.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the requests' order and of what the endpoints draw.")
@click.option(
    "--concurrency", type=click.IntRange(1, 4096), default=8, show_default=True, help="Requests in flight on each side."
)
@click.option("--golden", type=click.Path(path_type=Path), help="Golden set; the shipped one by default.")
@click.option("--same", is_flag=True, help="Compare the first profile with its copy.")
@click.option("--candidate", default=None, help="Profile of the candidate: a shipped name or a file.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("results"), help="Folder of run folders.")
@isolating_options
@reporting_options
def demo(**given: Any) -> int:
    """Run `bench compare` on two simulated endpoints; needs no network and no key.

    The profiles decode at 118.9 and 106.6 tokens per second: the report should find both.

    \b
    Example:
        bench demo --candidate broken-tools
    """
    from harness.cli.compare import measure_pair  # noqa: PLC0415  # keeps --help light
    from harness.cli.judging import Output, judge_run  # noqa: PLC0415

    with _without_proxy(), _simulated_endpoints(given) as endpoints:
        folder = measure_pair(endpoints, {**given, "settings": None, "max_cost": None, "load": None, "arrival": None})
    output = Output(reports=given["reports"], quiet=given["quiet"], as_json=given["as_json"])
    return judge_run(folder, None, output)


@contextmanager
def _without_proxy() -> Iterator[None]:
    """Keep a proxy that the environment names out of it: both endpoints are on this machine."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "*"
    try:
        yield
    finally:
        del os.environ["no_proxy"]
        if before is not None:
            os.environ["no_proxy"] = before


@contextmanager
def _simulated_endpoints(given: dict[str, Any]) -> Iterator[dict[Arm, Path]]:
    """Start both simulators, write their endpoint files, end them afterwards.

    Each has a seed of its own, so that a profile and its copy do not draw the same delays.
    """
    from contextlib import ExitStack  # noqa: PLC0415

    from harness.model.shipped import shipped_profile  # noqa: PLC0415
    from harness.simulator.process import running_simulator  # noqa: PLC0415

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-demo-")))
        files = {}
        for arm, (name, hardware) in _profiles(given).items():
            profile = Path(name) if Path(name).is_file() else shipped_profile(name)
            seed = 2 * (_DEMO_SEED if given["seed"] is None else given["seed"]) + (arm is Arm.CANDIDATE)
            simulator = stack.enter_context(running_simulator(profile, golden=given["golden"], seed=seed))
            endpoint = _endpoint(arm, name, hardware, simulator.base_url)
            files[arm] = folder / f"{arm}.yml"
            files[arm].write_text(yaml.safe_dump(msgspec.to_builtins(endpoint), sort_keys=False))
        yield files


def _profiles(given: dict[str, Any]) -> dict[Arm, tuple[str, str]]:
    reference = _TIERS[Arm.REFERENCE]
    candidate = reference if given["same"] else _TIERS[Arm.CANDIDATE]
    if given["candidate"]:
        candidate = (given["candidate"], "simulated")
    return {Arm.REFERENCE: reference, Arm.CANDIDATE: candidate}


def _endpoint(arm: Arm, profile: str, hardware: str, base_url: str) -> Endpoint:
    name = Path(profile).stem
    return Endpoint(
        name=name if arm is Arm.REFERENCE else f"{name}-b" if name == _TIERS[Arm.REFERENCE][0] else name,
        base_url=base_url,
        model="sim-model",
        limits=Limits(concurrency=8),
        prices=Prices(input_per_mtok=2.5, output_per_mtok=10.0),
        labels=Labels(hardware=hardware, checkpoint="simulated", tier=name),
    )
