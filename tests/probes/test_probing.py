"""What a probing leaves, what it costs, and how its requests are made."""

import json
from pathlib import Path

import jsonschema
import pytest

from harness.errors import ConfigError
from harness.measure.probecompose import ProbeComposer
from harness.model.endpoint import Params, Prices
from harness.model.probe import ProbeClass
from harness.model.probestorage import load_probing, probe_report_schema
from harness.probes.catalogue import PROBES, chosen, estimate_cost, probes_for
from harness.probes.classify import combined
from harness.probes.probe import Target
from tests.probes.probed import ENVIRON, an_endpoint, probed, result_of
from tests.probes.recorded import classified

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
    assert n_sent <= estimate_cost(chosen(), TARGET).n_requests < 200


def test_a_cost_is_counted_from_budgets_and_prices() -> None:
    prices = Prices(input_per_mtok=10, output_per_mtok=100, per_request=0.5)
    cost = estimate_cost(chosen(ids=["logit_bias"]), TARGET, prices)
    assert (cost.n_requests, cost.max_completion_tokens) == (2, 32)
    assert cost.price == pytest.approx(2 * 0.5 + (cost.prompt_tokens * 10 + 32 * 100) / 1e6)


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
    assert "error_rate_limit" not in {probe.id for probe in chosen()}
    assert [probe.id for probe in chosen(ids=["error_rate_limit"])] == ["error_rate_limit"]
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


def test_requests_keep_to_the_rate(tmp_path: Path) -> None:
    waits: list[float] = []

    async def count(self: object) -> None:
        waits.append(self.rate_limit)  # type: ignore[attr-defined]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("asyncio_throttle.throttler.Throttler.acquire", count)
        probed({}, tmp_path / "p", "chat", "logit_bias", requests_per_minute=7)
    assert waits == [7] * len(load_probing(tmp_path / "p").exchanges)
