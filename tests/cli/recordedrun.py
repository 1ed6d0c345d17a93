"""A run folder written by hand: two sides, two prompts, what an endpoint may do wrong, and no server."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from harness.measure.compose import Composer
from harness.model.digest import plan_sha256
from harness.model.endpoint import Endpoint
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.record import Arm, ArmHeader, Attempt, Connection, Reads, RequestKey, RunHeader, RunStatus
from harness.model.settings import Settings
from harness.model.storage import RunWriter
from tests.decode.wires import DONE, MS, a_wire, delta, finish, usage
from tests.model.runs import a_plan

REPEATS = 3
ANSI = "\x1b[31mred\x1b[0m\u202egnp"
SECRET_VARIABLE = "CANARY_KEY"


def capital() -> Prompt:
    """Give a prompt whose answer must say Prague."""
    return Prompt(
        id="capital",
        category="facts",
        intent="A fact is known.",
        request={"messages": [{"role": "user", "content": "Capital of Czechia?"}], "max_tokens": 16},
        checks=[Check(kind=CheckKind.CONTAINS, argument="Prague")],
    )


def invoice() -> Prompt:
    """Give a prompt that asks for JSON."""
    return Prompt(
        id="invoice",
        category="extraction",
        intent="A number stays a number.",
        request={
            "messages": [{"role": "user", "content": "Invoice as JSON."}],
            "response_format": {"type": "json_object"},
        },
        checks=[Check(kind=CheckKind.JSON_VALID, argument=None)],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How one attempt goes."""

    key: RequestKey
    block: int
    wire: bytes
    at_ms: Sequence[int]
    sizes: Sequence[int]
    attempt: int = 1
    status: int = 200


def endpoint(arm: Arm, **changes: Any) -> Endpoint:
    """Give an endpoint whose key is a reference."""
    given: dict[str, Any] = {
        "name": f"{arm}-end",
        "base_url": "https://a.example/v1?api-version=1&sig=s3cret",
        "model": "m",
        "api_key": f"${{{SECRET_VARIABLE}}}",
    }
    return Endpoint(**{**given, **changes})


def write_run(folder: Path, arms: Sequence[Arm] = (Arm.REFERENCE, Arm.CANDIDATE), **changes: Any) -> Path:
    """Write the folder; give it."""
    golden = GoldenSet(name="small", prompts=[capital(), invoice()])
    ends = {arm: endpoint(arm) for arm in arms}
    plan = replace(
        a_plan(),
        settings=msgspec.to_builtins(Settings()),
        load=(4,),
        repeats={prompt.id: REPEATS for prompt in golden.prompts},
        golden_sha256=golden.sha256,
    )
    given: dict[str, Any] = {
        "run_id": folder.name,
        "plan": plan,
        "plan_sha256": plan_sha256(plan),
        "golden": msgspec.to_builtins(golden),
        "arms": tuple(ArmHeader(arm=arm, endpoint=msgspec.to_builtins(end)) for arm, end in ends.items()),
        "command": "bench compare a.yml b.yml",
        "started_at": "2026-01-01T00:00:00+00:00",
        "provenance": {"cpu": "some CPU", "cpus": 2},
    }
    with RunWriter(folder, RunHeader(**{**given, **changes})) as writer:
        for arm in arms:
            composer = Composer(ends[arm], {SECRET_VARIABLE: "sk-canary-0123456789"})
            for told in _told(arm):
                prompt = golden.prompt(told.key.prompt_id)
                writer.append(_attempt(told, composer.compose(prompt).sha256), told.wire)
        writer.finish(RunStatus.FINISHED, "2026-01-01T00:01:00+00:00")
    return folder


def send_late(folder: Path, late_ms: int = 50) -> Path:
    """Let every request of a written run have left so late that its timings are VOID; give the folder."""
    journal = folder / "attempts.jsonl"
    attempts = [json.loads(line) for line in journal.read_text().splitlines()]
    for attempt in attempts:
        for name in ("intended_at_ns", "admitted_at_ns"):
            attempt[name] -= late_ms * MS
    journal.write_text("".join(f"{json.dumps(attempt)}\n" for attempt in attempts))
    return folder


def _attempt(told: Told, sha256: str) -> Attempt:
    start = told.block * 10_000 * MS
    at_ns = tuple(start + at * MS for at in told.at_ms)
    return Attempt(
        key=told.key,
        attempt=told.attempt,
        block=told.block,
        request_sha256="0" * 64 if told.attempt > 1 else sha256,
        request_bytes=10,
        intended_at_ns=start - 2 * MS,
        admitted_at_ns=start - MS,
        sent_at_ns=start,
        ended_at_ns=at_ns[-1],
        status=told.status,
        connection=Connection(
            reused=False, tcp_ns=2 * MS, peer="192.0.2.1:443", local_port=5000, tls_version="TLSv1.3"
        ),
        headers={"content-type": "text/event-stream"},
        reads=Reads(at_ns=at_ns, seen_at_ns=at_ns, n_bytes=tuple(told.sizes), source="k" * len(at_ns)),
    )


def _told(arm: Arm) -> Iterator[Told]:
    yield _answer(RequestKey(arm=arm, prompt_id="capital", repeat=0, is_warmup=True), 0, ["It is ", "Prague."])
    for repeat in range(REPEATS):
        yield _answer(RequestKey(arm=arm, prompt_id="capital", repeat=repeat), 1 + repeat, _capital(arm, repeat))
        key = RequestKey(arm=arm, prompt_id="invoice", repeat=repeat)
        if arm is Arm.CANDIDATE and repeat == 1:
            yield from _failed_and_retried(key, 11 + repeat)
        else:
            yield _answer(key, 11 + repeat, ['{"total": ', "12}" if arm is Arm.REFERENCE else '"12"}'])


def _capital(arm: Arm, repeat: int) -> list[str]:
    """The reference says the same each time; the candidate is odd once, and stands still in the last answer."""
    if arm is Arm.REFERENCE:
        return ["It is ", "Prague."]
    if repeat == 0:
        return ["It is ", "Brno, |", ANSI]
    return ["It is ", "Prague."] if repeat == 1 else ["It ", "is ", "Pra", "gue", "."]


def _failed_and_retried(key: RequestKey, block: int) -> Iterator[Told]:
    wire = a_wire(json.dumps({"error": {"message": "=no\x1b[0m", "code": "busy"}}).encode(), 500, "application/json")
    yield Told(key=key, block=block, wire=wire, at_ms=[40], sizes=[len(wire)], status=500)
    yield replace(_answer(key, block, ['{"total": ', "12}"]), attempt=2)


def _answer(key: RequestKey, block: int, pieces: Sequence[str]) -> Told:
    """Stream these pieces, a read each, after the head; the candidate's last repeat stands still before its end."""
    body = b"".join(delta(content=piece) for piece in pieces) + finish() + usage() + DONE
    wire = a_wire(body)
    head = wire.index(b"\r\n\r\n") + 4
    size_line = wire.index(b"\r\n", head) + 2
    ends = [size_line]
    for piece in pieces:
        ends.append(ends[-1] + len(delta(content=piece)))
    sizes = [later - earlier for earlier, later in zip([0, *ends], [*ends, len(wire)], strict=True)]
    is_slow = key.arm is Arm.CANDIDATE and key.repeat == REPEATS - 1
    at_ms = [20 + 30 * place for place in range(len(sizes))]
    if is_slow:
        at_ms = [*at_ms[:2], *(at + 5_000 for at in at_ms[2:])]
    return Told(key=key, block=block, wire=wire, at_ms=at_ms, sizes=sizes)
