"""What follows the measured levels: which blocks, how many at a time, what goes into the journal."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from harness.measure.compose import ComposedRequest
from harness.measure.followups import FollowUps, follow_ups, slots
from harness.measure.lane import Lane, Share
from harness.measure.schedule import plan_run
from harness.measure.untimed import FirstAnswers, FollowedLane, Prepared, Untimed
from harness.measure.wire.exchange import Exchange, Landed, TimeLimits
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.record import Arm, Arrival, Attempt, Block, Connection, Failure, FailureKind, Plan, Reads, RequestKey
from harness.model.settings import ArrivalSettings, PlanSettings, Settings
from tests.decode.wires import DONE, TOOL_END, a_wire, delta, reads_of, tool
from tests.measure.test_runner import LoopTime, ScriptedSender
from tests.measure.test_schedule import ARMS
from tests.measure.virtual_time import LoopClock, run_in_virtual_time

CALLING = a_wire(tool(index=0, id="a", function={"name": "f", "arguments": "{}"}) + TOOL_END)
TALKING = a_wire(delta(content="No.") + DONE)
LIMITS = TimeLimits(connect_s=1, first_output_s=1, idle_s=1, total_s=1)


def a_prompt(prompt_id: str, *checks: CheckKind, **more: Any) -> Prompt:
    request = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 10, **more.pop("request", {})}
    return Prompt(
        id=prompt_id, category="c", intent="i", request=request, checks=[Check(kind=k) for k in checks], **more
    )


LOOP = a_prompt(
    "loop", CheckKind.TOOL_COUNT, tool_results={"f": 1}, final=[Check(kind=CheckKind.CONTAINS, argument="1")]
)
GOLDEN = GoldenSet(
    name="g",
    prompts=[
        LOOP,
        a_prompt("tools", CheckKind.TOOL_COUNT),
        a_prompt("offered", request={"tools": [{"type": "function", "function": {"name": "f"}}]}),
        a_prompt("json", CheckKind.JSON_VALID),
        a_prompt("format", request={"response_format": {"type": "json_object"}}),
        a_prompt("text", CheckKind.NO_MARKUP),
        a_prompt("plain", request={"response_format": {"type": "text"}}),
        a_prompt("unchecked", tool_results={"f": 1}),
    ],
)
STRUCTURED = {"loop", "tools", "offered", "json", "format"}


def planned(repeats: int = 3, **settings: Any) -> Plan:
    plan = PlanSettings(warmup=settings.pop("warmup", 2), unstreamed=settings.pop("unstreamed", 1))
    given: dict[str, Any] = {"load": [2.0, 4.0], "plan": plan} | settings
    chosen = Settings(**given)
    counts = dict.fromkeys((prompt.id for prompt in GOLDEN.prompts), repeats)
    return plan_run(GOLDEN, chosen, ARMS, repeats=counts, estimators="1")


def test_a_judged_request_of_a_loop_is_followed_up_once_and_no_other() -> None:
    found = follow_ups(GOLDEN, planned())
    assert [(block.prompt_id, block.repeat) for block in found.loops] == [("loop", repeat) for repeat in range(3)]
    assert not any(block.level or block.is_warmup for block in found.loops)


def test_a_possibly_cold_request_is_not_judged_and_leads_nowhere() -> None:
    cold = [planned(warmup=0).blocks[0].prompt_id == "loop", len(follow_ups(GOLDEN, planned(warmup=0)).loops)]
    plan = planned(warmup=0)
    first = replace(plan.blocks[0], prompt_id="loop", repeat=0)
    alone = replace(plan, blocks=(first, replace(first, index=1, repeat=1)))
    assert cold in ([False, 3], [True, 2])
    assert [block.repeat for block in follow_ups(GOLDEN, alone).loops] == [1]


@pytest.mark.parametrize(("unstreamed", "repeats"), [(1, {0}), (2, {0, 1}), (9, {0, 1, 2})])
def test_prompts_with_tools_or_json_are_asked_for_unstreamed(unstreamed: int, repeats: set[int]) -> None:
    found = follow_ups(GOLDEN, planned(unstreamed=unstreamed)).unstreamed
    assert {(b.prompt_id, b.repeat) for b in found} == {(name, repeat) for name in STRUCTURED for repeat in repeats}
    assert len(found) == len(STRUCTURED) * len(repeats)


def test_zero_turns_unstreamed_repeats_off_and_an_older_plan_says_nothing_of_them() -> None:
    assert follow_ups(GOLDEN, planned(unstreamed=0)).unstreamed == ()
    old = planned()
    del old.settings["plan"]["unstreamed"]
    assert len(follow_ups(GOLDEN, old).unstreamed) == len(STRUCTURED)


@pytest.mark.parametrize(
    ("arrival", "load", "expected"),
    [
        (ArrivalSettings(), [3.0, 9.0], 3),
        (ArrivalSettings(process=Arrival.POISSON), [2.4], 2),
        (ArrivalSettings(process=Arrival.CONSTANT), [0.1], 1),
        (ArrivalSettings(process=Arrival.CONSTANT, max_in_flight=5), [40.0], 5),
    ],
)
def test_as_many_are_in_flight_as_at_the_first_level(
    arrival: ArrivalSettings, load: list[float], expected: int
) -> None:
    assert slots(planned(arrival=arrival, load=load)) == expected


@dataclass(slots=True, kw_only=True)
class ScriptedFollowUps:
    """Composes nothing and answers after a second; remembers what it was asked for."""

    in_flight: int = 0
    most_in_flight: int = 0
    asked: list[tuple[int, str]] = field(default_factory=list)

    def _prepared(self, block: Block, form: str) -> Prepared:
        self.asked.append((block.index, form))
        return Prepared(
            request=ComposedRequest(
                method="POST", scheme="http", host="h", port=1, target="/", head=b"", body=b"12", sha256=form
            ),
            limits=LIMITS,
        )

    def second_turn(self, block: Block, answer: dict[str, Any]) -> Prepared | None:
        return self._prepared(block, answer["tool_calls"][0]["id"]) if answer.get("tool_calls") else None

    def unstreamed(self, block: Block) -> Prepared:
        return self._prepared(block, "unstreamed")

    async def play(self, prepared: Prepared) -> Landed:  # noqa: ARG002  # the sender's signature
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        await asyncio.sleep(1)
        self.in_flight -= 1
        now_ns = round(asyncio.get_running_loop().time() * 1e9)
        exchange = Exchange(
            sent_at_ns=now_ns,
            ended_at_ns=now_ns,
            connection=Connection(reused=True),
            status=200,
            headers={},
            wire=b"",
            reads=Reads(),
            failure=None,
        )
        return Landed(free_at_ns=now_ns, settle=lambda: exchange)


@dataclass(slots=True, kw_only=True)
class ReadableJournal:
    """Keeps attempts with their bytes."""

    attempts: list[Attempt] = field(default_factory=list)
    wires: dict[RequestKey, bytes] = field(default_factory=dict)

    def append(self, attempt: Attempt, wire: bytes) -> Attempt:
        self.attempts.append(attempt)
        self.wires[attempt.key] = wire
        return attempt

    def wire(self, attempt: Attempt) -> bytes:
        return self.wires[attempt.key]


def first_answer(arm: Arm, block: Block, wire: bytes, failure: Failure | None = None) -> Attempt:
    return Attempt(
        key=RequestKey(arm=arm, prompt_id=block.prompt_id, repeat=block.repeat, is_warmup=block.is_warmup),
        attempt=1,
        block=block.index,
        request_sha256="0",
        request_bytes=1,
        intended_at_ns=0,
        reads=reads_of([wire]),
        failure=failure,
    )


def a_block(index: int, prompt_id: str = "loop") -> Block:
    return Block(index=index, prompt_id=prompt_id, repeat=index, first=Arm.REFERENCE)


def play(
    planned: FollowUps, answers: dict[Arm, dict[int, bytes]], n_slots: int = 2, share: Share | None = None, **lane: Any
) -> tuple[dict[Arm, ScriptedFollowUps], list[Attempt]]:
    journal, firsts = ReadableJournal(), FirstAnswers(loops=planned.loops)
    seen: list[Attempt] = []
    learn = firsts.learning(seen.append)
    for arm, wires in answers.items():
        for block in planned.loops:
            if block.index in wires:
                learn(journal.append(first_answer(arm, block, wires[block.index]), wires[block.index]))
    assert len(seen) == sum(map(len, answers.values()))
    senders = {arm: ScriptedFollowUps() for arm in answers}
    lanes = [
        FollowedLane(lane=Lane(arm=arm, sender=ScriptedSender(1), share=share or Share(), **lane), sender=sender)
        for arm, sender in senders.items()
    ]
    followed: list[Attempt] = []
    run_in_virtual_time(lambda: Untimed(planned, firsts, journal, LoopClock()).run(lanes, n_slots, followed.append))
    assert journal.attempts[len(seen) :] == followed
    return senders, followed


def test_loops_come_first_and_every_follow_up_has_a_key_of_its_own() -> None:
    loops = tuple(map(a_block, (3, 4)))
    unstreamed = (a_block(3), a_block(5, "json"))
    both = {arm: {3: CALLING, 4: CALLING} for arm in ARMS}
    senders, followed = play(FollowUps(loops=loops, unstreamed=unstreamed), both, n_slots=1)
    for sender in senders.values():
        assert sender.asked == [(3, "a"), (4, "a"), (3, "unstreamed"), (5, "unstreamed")]
    ids = [attempt.key.id for attempt in followed if attempt.key.arm is Arm.REFERENCE]
    assert ids == [f"reference/{name}" for name in ("loop/r3/t2", "loop/r4/t2", "loop/r3/whole", "json/r5/whole")]
    assert all(attempt.key.is_follow_up and not attempt.is_possibly_cold for attempt in followed)
    assert {attempt.request_sha256 for attempt in followed} == {"a", "unstreamed"}


def test_an_answer_without_a_call_or_a_failed_one_is_not_followed_up() -> None:
    loops = tuple(map(a_block, range(5)))
    answers = {
        0: TALKING,
        1: CALLING,
        2: a_wire(b"{}", 500, "application/json"),
        3: CALLING[: CALLING.index(b'tool_calls":') + 30],
    }
    _, followed = play(FollowUps(loops=loops, unstreamed=()), {Arm.REFERENCE: answers})
    assert [attempt.block for attempt in followed] == [1]


def test_each_side_keeps_the_asked_number_in_flight() -> None:
    loops = tuple(map(a_block, range(10)))
    answers = dict.fromkeys(ARMS, dict.fromkeys(range(10), CALLING))
    senders, followed = play(FollowUps(loops=loops, unstreamed=()), answers, n_slots=4)
    assert [sender.most_in_flight for sender in senders.values()] == [4, 4]
    assert Counter(attempt.key.arm for attempt in followed) == Counter(dict.fromkeys(ARMS, 10))


def test_workers_share_the_blocks_and_the_slots() -> None:
    loops = tuple(map(a_block, range(9)))
    answers = {Arm.CANDIDATE: dict.fromkeys(range(9), CALLING)}
    found = [
        play(FollowUps(loops=loops, unstreamed=loops), answers, n_slots=3, share=Share(worker=worker, n_workers=2))
        for worker in (0, 1)
    ]
    blocks = [[attempt.block for attempt in followed] for _, followed in found]
    assert [sorted(set(one)) for one in blocks] == [[0, 2, 4, 6, 8], [1, 3, 5, 7]]
    assert [len(one) for one in blocks] == [10, 8]
    assert [senders[Arm.CANDIDATE].most_in_flight for senders, _ in found] == [2, 1]


def test_the_quota_holds_for_what_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncio_throttle.throttler.time", LoopTime)
    blocks = tuple(map(a_block, range(8)))
    _, followed = play(FollowUps(loops=(), unstreamed=blocks), {Arm.REFERENCE: {}}, 8, requests_per_minute=4)
    admitted = sorted(attempt.admitted_at_ns or 0 for attempt in followed)
    assert admitted[4] - admitted[0] > 59e9
    assert all(attempt.intended_at_ns <= (attempt.admitted_at_ns or 0) for attempt in followed)


def test_a_failed_transport_leads_nowhere() -> None:
    block = a_block(1)
    firsts = FirstAnswers(loops=(block,))
    journal = ReadableJournal()
    cut = Failure(kind=FailureKind.CUT_OFF, message="gone")
    learn = firsts.learning(lambda _: None)
    learn(journal.append(first_answer(Arm.REFERENCE, block, b"", cut), b""))
    learn(first_answer(Arm.REFERENCE, replace(block, is_warmup=True), CALLING))
    lane = FollowedLane(lane=Lane(arm=Arm.REFERENCE, sender=ScriptedSender(1)), sender=ScriptedFollowUps())
    planned = FollowUps(loops=(block,), unstreamed=())
    followed: list[Attempt] = []
    run_in_virtual_time(lambda: Untimed(planned, firsts, journal, LoopClock()).run([lane], 1, followed.append))
    assert followed == []
