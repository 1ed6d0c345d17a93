"""Probes run by the real runner against a simulator in this process."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.measure.probing import Probing, probe_endpoint
from harness.model.endpoint import Endpoint
from harness.model.probe import ProbeReport, ProbeResult
from harness.probes.catalogue import chosen
from harness.simulator.endpoint import SimulatedEndpoint
from harness.simulator.profile import Profile
from harness.simulator.server import Server
from harness.simulator.serving import listen_on
from harness.simulator.truth import TruthLog

FAST_RATE = 1_000_000  # requests a minute: no waiting
ENVIRON = {"PROBE_KEY": "sk-test-0123456789"}


def an_endpoint(port: int, **fields: Any) -> Endpoint:
    base = {"name": "sim", "base_url": f"http://127.0.0.1:{port}/v1", "model": "sim-model", "api_key": "${PROBE_KEY}"}
    return Endpoint(**base | fields)


async def probe_port(port: int, folder: Path, ids: tuple[str, ...] = (), **more: Any) -> ProbeReport:
    endpoint = more.pop("endpoint", None) or an_endpoint(port, **more.pop("fields", {}))
    probes = chosen(ids=ids, burst=more.pop("burst", None))
    options: dict[str, Any] = {"environ": ENVIRON, "requests_per_minute": FAST_RATE, "window": 2000} | more
    return await probe_endpoint(Probing(endpoint=endpoint, probes=probes, probing_id="p", **options), folder)


async def probe_simulator(
    features: Mapping[str, Any], folder: Path, ids: tuple[str, ...] = (), **more: Any
) -> ProbeReport:
    profile = Profile(name="probed", features=dict(features))
    log = TruthLog(None)
    with listen_on(0) as listener:
        listener.setblocking(False)
        server = Server(SimulatedEndpoint(profile), log)
        accepting = asyncio.ensure_future(server.accept(listener))
        try:
            return await probe_port(listener.getsockname()[1], folder, ids, **more)
        finally:
            accepting.cancel()
            await server.close()
            log.close()


def probed(features: Mapping[str, Any], folder: Path, *ids: str, **more: Any) -> ProbeReport:
    return asyncio.run(probe_simulator(features, folder, ids, **more))


def result_of(report: ProbeReport, probe: str) -> ProbeResult:
    found = report.result(probe)
    assert found is not None, report.skipped
    return found
