"""The cut-over checklist: done, not done or failed, from evidence."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.analysis.checklist import Item, Prior, State, cutover_checklist
from harness.analysis.coldpath import cold_path
from harness.analysis.findingrows import LATE_READING
from harness.analysis.results.analysis import Analysis
from harness.analysis.results.evidence import FindingRow
from harness.analysis.results.judgement import Verdict
from harness.analysis.results.timeouts import LimitKind
from harness.analysis.timeoutsizing import size_timeouts
from harness.model.probe import ProbeClass, ProbeReport
from harness.model.record import Answer, Arm, Failure, FailureKind
from tests.analysis.cases import a_golden, a_key, a_record, a_side
from tests.model.probings import a_report, a_result, an_error_report
from tests.report.cases import void
from tests.report.sample import sample, single

ALL_GOOD = a_report(*(a_result(probe) for probe in ("chat", "stream", "tool_auto", "logprobs", "usage_agreement")))


def a_prior(probes: ProbeReport | None = None, **more: Any) -> Prior:
    return Prior(file="b.yml", reference_file="a.yml", probes=probes, probes_source="results/p", **more)


def items(analysis: Analysis, prior: Prior | None = None) -> dict[str, Item]:
    return {item.id: item for item in cutover_checklist(analysis, prior or a_prior()).items}


def without_records(analysis: Analysis) -> Analysis:
    assert analysis.case.candidate is not None
    return replace(analysis, case=replace(analysis.case, candidate=replace(analysis.case.candidate, records=())))


def with_candidate(analysis: Analysis, **endpoint: Any) -> Analysis:
    side = analysis.case.candidate
    assert side is not None
    return replace(
        analysis, case=replace(analysis.case, candidate=replace(side, endpoint={**side.endpoint, **endpoint}))
    )


def test_every_item_of_the_list_is_there_and_what_is_open_has_a_command() -> None:
    found = items(sample())
    assert list(found) == [
        "completion",
        "stream",
        "tool_call",
        "model",
        "sampling",
        "usage",
        "features",
        "golden",
        "timeouts",
    ]
    assert all(bool(item.command) == (item.state is not State.DONE) for item in found.values())


@pytest.mark.parametrize("item", ["completion", "stream", "tool_call"])
@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (None, State.NOT_DONE),
        (ProbeClass.SUPPORTED, State.DONE),
        (ProbeClass.ACCEPTED, State.NOT_DONE),
        (ProbeClass.BROKEN, State.FAILED),
        (ProbeClass.REJECTED, State.FAILED),
        (ProbeClass.INCONCLUSIVE, State.NOT_DONE),
    ],
)
def test_without_requests_of_the_run_a_probe_decides_the_smoke_test(
    item: str, outcome: ProbeClass | None, state: State
) -> None:
    probe = {"completion": "chat", "stream": "stream", "tool_call": "tool_auto"}[item]
    probes = None if outcome is None else a_report(a_result(probe, outcome))
    assert items(without_records(sample()), a_prior(probes))[item].state is state


def test_the_runs_own_requests_come_before_a_probe() -> None:
    side = sample().case.candidate
    assert side is not None
    call = replace(next(record for record in side.records if record.failure is None), answer=Answer())
    whole = replace(call, key=replace(call.key, is_streamed=False))
    broken = replace(whole, failure=Failure(kind=FailureKind.SERVER_ERROR, message="down"))
    for records, state in (((whole,), State.DONE), ((broken,), State.FAILED)):
        analysis = sample()
        case = replace(analysis.case, candidate=replace(side, records=records))
        assert items(replace(analysis, case=case))["completion"].state is state


@pytest.mark.parametrize("item", ["completion", "stream", "tool_call"])
def test_a_run_in_which_every_request_failed_is_not_outdone_by_its_probe(item: str) -> None:
    analysis, side = sample(), sample().case.candidate
    assert side is not None
    tools = {"tools": [{"type": "function", "function": {"name": "f"}}]}
    prompts = [msgspec.structs.replace(one, request={**one.request, **tools}) for one in analysis.case.golden.prompts]
    down = Failure(kind=FailureKind.SERVER_ERROR, message="down")
    failed = [replace(record, failure=down, answer=Answer()) for record in side.records[:4]]
    both = [replace(one, key=replace(one.key, is_streamed=told)) for one in failed for told in (False, True)]
    case = replace(
        analysis.case,
        candidate=replace(side, records=tuple(both)),
        golden=msgspec.structs.replace(analysis.case.golden, prompts=prompts),
    )
    found = items(replace(analysis, case=case), a_prior(ALL_GOOD))[item]
    assert (found.state, found.command != "") == (State.FAILED, True)
    assert found.evidence.startswith("none of ")
    assert "probe " in found.evidence
    assert "is supported: seen of" in found.evidence


def test_sampling_that_is_not_pinned_is_named_with_its_prompts() -> None:
    assert items(sample())["sampling"].state is State.DONE
    item = items(sample(), a_prior(unpinned={"top_p": ("p1", "p2")}))["sampling"]
    assert item.state is State.NOT_DONE
    assert "top_p in 2 prompts" in item.evidence
    assert item.command == "write sampling: {top_p: ...} into b.yml"


@pytest.mark.parametrize(
    ("n_no_usage", "n_zero_usage", "probed", "state"),
    [
        (0, 0, ProbeClass.SUPPORTED, State.DONE),
        (3, 0, ProbeClass.SUPPORTED, State.FAILED),
        (0, 2, ProbeClass.SUPPORTED, State.FAILED),
        (0, 0, ProbeClass.BROKEN, State.FAILED),
    ],
)
def test_usage_fails_where_a_count_is_missing_or_the_two_ways_disagree(
    n_no_usage: int, n_zero_usage: int, probed: ProbeClass, state: State
) -> None:
    analysis = sample()
    changed = tuple(
        replace(one, n_no_usage=n_no_usage, n_zero_usage=n_zero_usage) if one.arm is Arm.CANDIDATE else one
        for one in analysis.economics
    )
    prior = a_prior(a_report(a_result("usage_agreement", probed)))
    assert items(replace(analysis, economics=changed), prior)["usage"].state is state


@pytest.mark.parametrize(
    ("outcome", "state"),
    [
        (ProbeClass.SUPPORTED, State.DONE),
        (ProbeClass.ACCEPTED, State.DONE),
        (ProbeClass.INCONCLUSIVE, State.NOT_DONE),
        (ProbeClass.IGNORED, State.FAILED),
        (ProbeClass.REJECTED, State.FAILED),
    ],
)
def test_a_feature_in_use_is_as_its_probe_says(outcome: ProbeClass, state: State) -> None:
    prior = a_prior(a_report(a_result("logprobs", outcome)), needed={"chat": ("p",), "logprobs": ("p",)})
    assert items(sample(), prior)["features"].state is state


def test_only_what_is_in_use_and_not_probed_is_asked_for() -> None:
    item = items(sample(), a_prior(ALL_GOOD, needed={"chat": ("p",), "logprobs": ("p",), "seed": ("p",)}))["features"]
    assert item.state is State.NOT_DONE
    assert item.command == "bench probe b.yml --probe seed"


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Verdict.PASS, State.DONE),
        (Verdict.FAIL, State.FAILED),
        (Verdict.INCONCLUSIVE, State.NOT_DONE),
        (Verdict.INVALID, State.NOT_DONE),
    ],
)
def test_the_golden_prompts_are_as_the_verdict(verdict: Verdict, state: State) -> None:
    analysis = sample()
    assert analysis.judgement is not None
    found = items(replace(analysis, judgement=replace(analysis.judgement, verdict=verdict)))["golden"]
    assert found.state is state


def test_one_endpoint_alone_was_not_compared() -> None:
    item = items(single())["golden"]
    assert item.state is State.NOT_DONE
    assert item.command == "bench compare a.yml b.yml"


def test_the_cold_path_is_never_done_by_itself_and_fails_where_a_wake_would_be_given_up() -> None:
    assert items(sample())["timeouts"].state is State.NOT_DONE
    cold = {"scales_to_zero": True, "cap_s": 600.0, "idle_after_s": 900.0}
    short = items(with_candidate(sample(), cold=cold, timeouts={"first_output_s": 120.0}))["timeouts"]
    assert short.state is State.FAILED
    assert short.command == "write timeouts: {first_output_s: 660} into b.yml"
    long = items(with_candidate(sample(), cold=cold, timeouts={"first_output_s": 660.0}))["timeouts"]
    assert long.state is State.NOT_DONE
    assert long.command == "bench cold b.yml --idle 900"


@pytest.mark.parametrize(
    ("stated", "state", "command"),
    [
        ({"first_output_s": 660.0}, State.DONE, ""),
        ({"first_output_s": 300.0}, State.FAILED, "write timeouts: {first_output_s: 400} into b.yml"),
        ({"first_output_s": 400.0, "idle_s": 1.0}, State.FAILED, "write timeouts: {idle_s: 2} into b.yml"),
    ],
)
def test_the_timeouts_are_sized_once_a_wake_is_on_record_and_no_stated_limit_is_shorter(
    stated: dict[str, float], state: State, command: str
) -> None:
    wake = a_record((200_000, 200_100), key=a_key(0, is_warmup=True), is_possibly_cold=True)
    side = a_side([wake, *(a_record((500, 600), key=a_key(i)) for i in range(1, 5))], Arm.CANDIDATE)
    sizing = size_timeouts(side, a_golden(), cold_path(side))
    assert sizing is not None
    assert sizing.limit(LimitKind.FIRST_OUTPUT).value.value == 400.0  # twice the wake
    found = items(replace(with_candidate(sample(), timeouts=stated), timeouts=(sizing,)))["timeouts"]
    assert (found.state, found.command) == (state, command)


def test_the_changes_name_the_declared_differences_and_what_probes_ask_for_what_is_in_use_first() -> None:
    analysis = with_candidate(sample(), params={"rename": {"max_tokens": "max_new"}, "drop": ["seed"], "add": {"k": 1}})
    probes = a_report(
        a_result("n", ProbeClass.IGNORED, number=19), a_result("logprobs", ProbeClass.REJECTED, number=20)
    )
    changes = cutover_checklist(analysis, a_prior(probes, needed={"logprobs": ("p",)})).changes
    told = "\n".join(changes)
    assert "Send `max_new` in place of `max_tokens`." in changes
    assert "Do not send `seed`." in changes
    assert "Send `k: 1` with every request." in changes
    assert told.index("Do without logprobs.") < told.index("Do without n. n is ignored (not used by the golden set)")


def test_an_error_that_comes_otherwise_is_a_change() -> None:
    prior = a_prior(an_error_report(400, code="bad_key"), reference_probes=an_error_report(401, code="invalid_api_key"))
    changes = cutover_checklist(sample(), prior).changes
    assert "Error handling, bad key: status 400 instead of 401, code bad_key instead of invalid_api_key." in changes


def test_a_finding_that_both_sides_have_is_no_change() -> None:
    rows = [
        FindingRow(arm=arm, kind=kind, n_responses=2, example="", advice=f"Mind {kind}.")
        for arm, kind in ((Arm.REFERENCE, "old"), (Arm.CANDIDATE, "old"), (Arm.CANDIDATE, "new"))
    ]
    changes = cutover_checklist(replace(sample(), findings=tuple(rows)), a_prior()).changes
    assert [change for change in changes if "Mind" in change] == ["Mind new. (new, 2 responses)"]


def test_what_this_client_may_have_done_itself_is_no_change() -> None:
    row = FindingRow(arm=Arm.CANDIDATE, kind=LATE_READING, n_responses=3, example="", advice="Mind the client.")
    changes = cutover_checklist(replace(sample(), findings=(row,)), a_prior()).changes
    assert not any("Mind the client" in change for change in changes)


def test_the_longest_wait_is_that_of_a_stream() -> None:
    whole = a_record(
        (1_090,), key=replace(a_key(0), is_streamed=False), was_streamed=False
    )  # its first output is all of it
    side = a_side([whole, a_record((165, 700), key=a_key(1))], Arm.CANDIDATE)
    analysis = sample()
    told = items(replace(analysis, case=replace(analysis.case, candidate=side)))["timeouts"].evidence
    assert told.endswith("Longest wait of a stream for its first output: 0.17 s warm")
    assert items(void())["timeouts"].evidence.endswith("Timings do not count in this run")


def test_a_probe_says_its_day_and_a_stale_one_does_nothing() -> None:
    prior = a_prior(ALL_GOOD, days={"chat": "2026-01-02", "logprobs": "2026-01-02"}, run_day="2026-02-01")
    fresh = items(without_records(sample()), prior)["completion"]
    assert (fresh.state, "(probed on 2026-01-02)" in fresh.evidence) == (State.DONE, True), "30 days"
    late = replace(prior, run_day="2026-02-02", needed={"logprobs": ("p",)})
    stale = items(without_records(sample()), late)["completion"]
    assert stale.state is State.NOT_DONE
    assert "probed on 2026-01-02, 31 days before the run: stale, probe again" in stale.evidence
    assert stale.command.startswith("bench probe b.yml")
    assert items(sample(), late)["features"].state is State.NOT_DONE
    found = cutover_checklist(sample(), late)
    assert found.source.startswith("results/p, probed 2026-01-02; 2 of 2 more than 30 days before the run")
