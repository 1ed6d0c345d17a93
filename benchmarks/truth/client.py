"""The child that measures with the product: `bench run` without its report, and what its records say."""

import json
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.truth.seen import SeenStream, Sighting, seen_text
from benchmarks.truth.shape import Shape, from_text
from harness.cli.judging import decode_run
from harness.cli.measuring import Request, measure
from harness.cli.sides import recorded_side
from harness.clock import SystemClock
from harness.model.endpoint import Endpoint, Limits, Timeouts, Tls
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm, Record
from harness.model.settings import PlanSettings, Settings
from harness.model.storage import StoredRun, load_run


def main() -> None:
    """Measure argv's base URL with argv's shape; write what was seen to standard output."""
    base_url, shape = sys.argv[1], from_text(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        run = load_run(measure(_request(base_url, shape, Path(folder))))
        sys.stdout.write(seen_text(sighting(run)))


def _request(base_url: str, shape: Shape, out: Path) -> Request:
    body = {
        "messages": [{"role": "user", "content": "Count."}],
        "max_tokens": shape.tokens,
        "temperature": 0,
        **json.loads(os.environ.get("TRUTH_EXTRA_BODY", "{}")),
    }
    endpoint = Endpoint(
        name="truth",
        base_url=base_url,
        model="truth-model",
        limits=Limits(concurrency=shape.streams),
        timeouts=Timeouts(total_s=600),
        tls=Tls(verify=False),
    )
    return Request(
        endpoints={Arm.REFERENCE: endpoint},
        golden=GoldenSet(name="truth", prompts=[Prompt(id="p", category="c", intent="Count.", request=body)]),
        settings=Settings(plan=PlanSettings(repeats=shape.requests, max_repeats=shape.requests, allocate=False)),
        out=out,
        quiet=True,
        repeats={"p": shape.requests},
    )


def sighting(run: StoredRun) -> Sighting:
    """Decode the run; how long that takes is measured, it is no part of the window."""
    clock = SystemClock()
    began_ns = clock.cpu_ns()
    records = decode_run(recorded_side(run, Arm.REFERENCE))
    decode_ns = clock.cpu_ns() - began_ns
    (client,) = run.header.client
    measured = [record for record in records if not record.key.is_warmup]
    return Sighting(
        streams=[_seen(record) for record in measured],
        loop=client.loop,
        cpu_ns=client.cpu_ns,
        decode_ns=decode_ns,
        n_failed=sum(record.failure is not None for record in measured),
    )


def _seen(record: Record) -> SeenStream:
    return SeenStream(
        id=record.response_id or "",
        sent_at_ns=record.stamps.sent_at_ns or 0,
        ended_at_ns=record.stamps.ended_at_ns or 0,
        output_at_ns=list(record.arrivals.at_ns),
        read=list(record.arrivals.read),
    )


if __name__ == "__main__":
    main()
