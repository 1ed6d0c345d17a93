"""What a probing leaves, what it costs, and how its requests are made."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.errors import ConfigError
from harness.measure.probecompose import ProbeComposer, dialect_of
from harness.measure.probing import paced
from harness.model.endpoint import Params, Prices
from harness.model.probe import ProbeClass
from harness.model.probestorage import load_probing, probe_report_schema
from harness.probes.catalogue import PROBES, chosen, estimate_cost, probes_for
from harness.probes.classify import classify, combined
from harness.probes.probe import Probe, Target
from tests.probes.probed import ENVIRON, an_endpoint, probe_port, probed, result_of
from tests.probes.recorded import classified, exchange_of

C = ProbeClass
TARGET = Target(model="sim-model", window=2000)


def test_a_probe_folder_is_read_back_with_its_evidence(tmp_path: Path) -> None:
    report = probed({"seed": "rejected"}, tmp_path / "a-probe", "seed", "chat")
    stored = load_probing(tmp_path / "a-probe")
    assert stored.report == report
    seed = result_of(report, "seed")
    assert (seed.param, seed.code, seed.status) == ("seed", "unsupported_parameter", 400)
    assert b"Unsupported parameter" in stored.wire(stored.exchanges[seed.exchanges[1]])


def test_the_report_is_valid_against_its_schema(tmp_path: Path) -> None:
    probed({}, tmp_path / "p", "chat", "error_bad_key", window=None)
    jsonschema.validate(json.loads((tmp_path / "p" / "probes.json").read_text()), probe_report_schema())


def test_no_more_is_sent_than_was_announced(tmp_path: Path) -> None:
    ids = tuple(probe.id for probe in chosen())
    probed({}, tmp_path / "p", *ids)
    n_sent = len(load_probing(tmp_path / "p").exchanges)
    assert n_sent <= estimate_cost(chosen(), TARGET).n_requests < 250


def test_a_cost_is_counted_from_budgets_and_prices() -> None:
    prices = Prices(input_per_mtok=10, output_per_mtok=100, per_request=0.5)
    cost = estimate_cost(chosen(ids=["logit_bias"]), TARGET, prices)
    assert (cost.n_requests, cost.max_completion_tokens) == (3, 48), "the control once more, where a variant failed"
    assert cost.price == pytest.approx(3 * 0.5 + (cost.prompt_tokens * 10 + 48 * 100) / 1e6)


def test_a_window_is_learnt_from_the_model_list_or_the_probe_is_left_out(tmp_path: Path) -> None:
    learnt = probed({}, tmp_path / "a", "budget_overflow", window=None)
    assert (learnt.context_window, result_of(learnt, "budget_overflow").outcome) == (2000, C.SUPPORTED)
    unknown = probed({"models": "broken"}, tmp_path / "b", "budget_overflow", window=None)
    assert "context window" in unknown.skipped["budget_overflow"]


def test_a_prompt_that_fills_the_window_is_not_sent_unless_its_cost_was_announced(tmp_path: Path) -> None:
    learnt = probed({}, tmp_path / "a", "budget_overflow", "context_overflow", "error_over_long", window=None)
    assert sorted(learnt.skipped) == ["context_overflow", "error_over_long"]
    assert estimate_cost(chosen(ids=["context_overflow"]), Target(model="m")).unknown == ("context_overflow",)
    assert estimate_cost(chosen(ids=["context_overflow"]), TARGET).prompt_tokens > 2000


def test_the_file_speaks_for_the_base_and_not_for_what_is_probed() -> None:
    params = Params(
        rename={"max_tokens": "max_completion_tokens"}, drop=["temperature"], add={"reasoning_effort": "low"}
    )
    composer = ProbeComposer(an_endpoint(1, params=params), ENVIRON)
    probe = next(probe for probe in PROBES if probe.id == "max_tokens")
    assert probe.control is not None
    control = json.loads(composer.compose(probe.control, TARGET).body)
    variant = json.loads(composer.compose(probe.asks[0], TARGET).body)
    assert (control["max_completion_tokens"], "temperature" in control, "max_tokens" in control) == (16, False, False)
    assert (variant["max_tokens"], "max_completion_tokens" in variant, variant["reasoning_effort"]) == (5, False, "low")


def test_a_request_has_one_length_and_its_own_path() -> None:
    composer = ProbeComposer(an_endpoint(1, base_url="http://127.0.0.1:1/v1?api-version=2"), ENVIRON)
    models = next(probe for probe in PROBES if probe.id == "models").asks[0]
    request = composer.compose(models, TARGET)
    assert request.head.startswith(b"GET /v1/models?api-version=2 HTTP/1.1\r\n")
    assert b"ontent-" not in request.head
    chat = composer.compose(next(probe for probe in PROBES if probe.id == "chat").asks[0], TARGET)
    assert chat.head.lower().count(b"content-length: %d\r\n" % len(chat.body)) == 1


def test_probes_are_chosen_by_group_and_name() -> None:
    assert {probe.group for probe in chosen(groups=["tools"])} == {"tools"}
    assert sum(probe.trials_of(ask) for probe in chosen(ids=["error_rate_limit"]) for ask in probe.asks) == 1
    assert [probe.id for probe in chosen(ids=["seed"], burst=9)] == ["seed", "error_rate_limit"]
    assert chosen(burst=9)[-1].n_requests == 9
    assert [probe.id for probe in probes_for(["json_schema", "stop"])] == ["stop_string", "json_schema_enforced"]
    with pytest.raises(ConfigError, match="unknown probe 'sed'"):
        chosen(ids=["sed"])


def test_trials_that_disagree_are_the_models_will_and_one_broken_decides() -> None:
    assert combined([(C.SUPPORTED, "a"), (C.IGNORED, "b")]).outcome is C.INCONCLUSIVE
    assert combined([(C.SUPPORTED, "a"), (C.BROKEN, "b")]).outcome is C.BROKEN
    assert combined([(C.SUPPORTED, "a")] * 3).evidence == "a (3 of 3 trials)"


def test_a_folder_that_is_none_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not a probe folder"):
        load_probing(tmp_path)


def test_a_torn_last_line_costs_only_itself(tmp_path: Path) -> None:
    probed({}, tmp_path / "p", "chat", "logit_bias")
    n_whole = len(load_probing(tmp_path / "p").exchanges)
    with (tmp_path / "p" / "exchanges.jsonl").open("ab") as lines:
        lines.write(b'{"probe":"se')
    assert len(load_probing(tmp_path / "p").exchanges) == n_whole


def test_thinking_tokens_are_added_to_budgets_but_not_to_a_probed_one() -> None:
    composer = ProbeComposer(an_endpoint(1), ENVIRON)
    thinking = Target(model="sim-model", thinking_tokens=1000)
    probes = {
        probe.id: json.loads(composer.compose(probe.asks[0], thinking).body)
        for probe in chosen(groups=["core"])
        if probe.id != "models"
    }
    assert (probes["chat"]["max_tokens"], probes["max_tokens"]["max_tokens"]) == (1016, 5)


def test_a_model_that_only_thinks_is_inconclusive_and_its_control_is_served() -> None:
    answer = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "length"}
    text = json.dumps({"model": "m", "choices": [answer], "usage": {"prompt_tokens": 5, "completion_tokens": 16}})
    found = {"asked": {}, "status": 200, "headers": [["content-type", "application/json"]], "reads": [[1.0, text]]}
    result = classified("json_object", [found], "m")
    assert (result.outcome, "thinks" in result.evidence) == (C.INCONCLUSIVE, True)


def test_requests_are_spaced_evenly(tmp_path: Path) -> None:
    throttle = paced(7)
    assert (throttle.rate_limit, throttle.period) == (1, pytest.approx(60 / 7)), "a minute's seven never at once"
    assert throttle.retry_interval < throttle.period
    taken: list[Any] = []

    async def count(self: Any) -> None:
        taken.append(self.period)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asyncio_throttle.throttler.Throttler.acquire", count)
        probed({}, tmp_path / "p", "chat", "logit_bias", requests_per_minute=7)
    assert taken == [throttle.period] * len(load_probing(tmp_path / "p").exchanges)


def test_a_wrong_key_is_not_tried_where_none_is_asked_for(tmp_path: Path) -> None:
    report = probed({}, tmp_path / "p", "error_bad_key", "logit_bias", fields={"api_key": None})
    assert [result.id for result in report.results] == ["logit_bias"]
    assert "names no key" in report.skipped["error_bad_key"]
    in_header = probed(
        {}, tmp_path / "q", "error_bad_key", fields={"api_key": None, "headers": {"api-key": "${PROBE_KEY}"}}
    )
    assert [result.id for result in in_header.results] == ["error_bad_key"]


def test_the_cost_is_of_the_bodies_that_the_file_makes() -> None:
    probes = chosen(ids=["chat", "logit_bias"])
    plain = estimate_cost(probes, TARGET)
    renamed = estimate_cost(
        probes, TARGET, dialect=dialect_of(an_endpoint(1, params=Params(rename={"max_tokens": "max_new"})))
    )
    assert renamed == plain, "four requests of 16 tokens, whatever the budget's name"
    assert plain.max_completion_tokens == 4 * 16
    dropped = estimate_cost(probes, TARGET, dialect=dialect_of(an_endpoint(1, params=Params(drop=["max_tokens"]))))
    assert (dropped.n_unbounded, dropped.max_completion_tokens) == (4, 4 * 4096)
    set_by_file = estimate_cost(probes, TARGET, dialect=dialect_of(an_endpoint(1, extra_body={"max_tokens": 100})))
    assert set_by_file.max_completion_tokens == 4 * 100
    thinking = estimate_cost(probes, Target(model="m", thinking_tokens=1000))
    assert thinking.max_completion_tokens == 4 * 1016


def test_the_rate_limit_is_looked_at_and_never_provoked_unless_asked_for(tmp_path: Path) -> None:
    quiet = probed({"error_rate_limit": "accepted"}, tmp_path / "a", "error_rate_limit")
    found = result_of(quiet, "error_rate_limit")
    assert len(load_probing(tmp_path / "a").exchanges) == 1
    assert found.outcome is C.ACCEPTED
    assert "x-ratelimit-limit-requests 1000" in found.evidence
    assert "--provoke-rate-limit" in found.evidence


def test_a_burst_has_a_cap_and_ends_at_the_first_refusal(tmp_path: Path) -> None:
    waits: list[int] = []

    async def count(_: Any) -> None:
        waits.append(1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asyncio_throttle.throttler.Throttler.acquire", count)
        limited = probed({"error_rate_limit": "supported"}, tmp_path / "a", "error_rate_limit", burst=150)
        free = probed({}, tmp_path / "b", "error_rate_limit", burst=5)
    assert len(load_probing(tmp_path / "a").exchanges) == 21, "the quota is 20"
    assert result_of(limited, "error_rate_limit").outcome is C.SUPPORTED
    assert len(load_probing(tmp_path / "b").exchanges) == 5
    assert result_of(free, "error_rate_limit").outcome is C.ACCEPTED
    assert waits == []


def test_an_endpoint_that_cannot_be_reached_is_asked_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
    report = asyncio.run(probe_port(port, tmp_path / "p"))
    assert (report.results, len(load_probing(tmp_path / "p").exchanges)) == ((), 1)
    assert report.stopped is not None
    assert report.stopped.startswith("connect: ")


def test_a_slow_server_is_not_broken_and_a_deadline_grows_with_the_requests() -> None:
    (probe,) = chosen(ids=["json_schema_enforced"])
    answer = {"index": 0, "message": {"role": "assistant", "content": "{}"}, "finish_reason": "stop"}
    text = json.dumps({"model": "m", "choices": [answer], "usage": {"prompt_tokens": 5, "completion_tokens": 16}})
    found = {"asked": {}, "status": 200, "headers": [["content-type", "application/json"]], "reads": [[1.0, text]]}
    result = classify(probe, [exchange_of("prose", 0, found)], TARGET, cut="the probe's deadline of 1 s passed")
    assert (result.outcome, "in time" in result.evidence) == (C.INCONCLUSIVE, True)
    assert [one.deadline_s for one in chosen(ids=["logit_bias", "temperature"])] == [60 + 20 * 11, 60 + 20 * 2]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.id)
def test_advice_is_of_the_class(probe: Probe) -> None:
    assert {probe.change_for(kind) for kind in (C.SUPPORTED, C.ACCEPTED, C.INCONCLUSIVE)} == {None}
    told = {kind: probe.change_for(kind) for kind in (C.IGNORED, C.REJECTED, C.BROKEN)}
    assert all(told.values())
    assert set(probe.changes) <= set(told)
    assert all(text != probe.change for text in probe.changes.values())


def test_what_is_ignored_and_what_is_refused_ask_for_different_changes(tmp_path: Path) -> None:
    told = {
        kind: result_of(probed({"stop_string": kind}, tmp_path / kind, "stop_string"), "stop_string").change
        for kind in ("ignored", "rejected", "broken")
    }
    assert len(set(told.values())) == 3
    assert told["rejected"] == "Leave stop out, and cut the answer yourself."
