"""What is said before the first request."""

from typing import Any

import pytest

from harness.measure.preflight import Knowledge, Line, Severity, preflight, remedy
from harness.model.endpoint import Endpoint, Params
from harness.model.golden import GoldenSet
from harness.model.probe import ProbeClass, ProbeResult
from harness.model.record import Arm
from tests.measure.prompts import a_prompt, an_endpoint
from tests.model.probings import a_report, a_result

PINNED: dict[str, Any] = {"temperature": 0, "top_p": 1, "max_tokens": 16}


def lines(
    *results: ProbeResult, endpoint: Endpoint | None = None, context_window: int | None = None, **request: Any
) -> list[Line]:
    """Look at one endpoint before a set of one prompt."""
    known = Knowledge(source="r/p", report=a_report(*results, context_window=context_window))
    golden = GoldenSet(name="g", prompts=[a_prompt(**(request or PINNED))])
    return list(preflight(golden, {Arm.CANDIDATE: endpoint or an_endpoint()}, {Arm.CANDIDATE: known}))


def of(found: list[Line], severity: Severity) -> list[str]:
    return [f"{line.text}. {line.remedy}" for line in found if line.severity is severity]


def test_a_declared_difference_is_shown_with_both_values() -> None:
    a, b = an_endpoint(name="a"), an_endpoint(name="b", model="m2", params=Params(rename={"max_tokens": "max_new"}))
    golden = GoldenSet(name="g", prompts=[a_prompt(**PINNED)])
    told = of(list(preflight(golden, {Arm.REFERENCE: a, Arm.CANDIDATE: b}, {})), Severity.INFO)
    assert "declared difference in every prompt: model: 'm' → 'm2'. " in told
    assert "declared difference in every prompt: max_tokens: 16 → not sent. " in told
    assert "declared difference in every prompt: max_new: not sent → 16. " in told


def test_equal_bodies_are_said_to_be_so() -> None:
    golden = GoldenSet(name="g", prompts=[a_prompt(**PINNED)])
    found = preflight(golden, {Arm.REFERENCE: an_endpoint(), Arm.CANDIDATE: an_endpoint()}, {})
    assert found[0].text == "the bodies of 1 prompt are the same"


def test_sampling_is_judged_by_what_is_sent() -> None:
    dropping = an_endpoint(params=Params(drop=["top_p"], rename={"max_tokens": "max_new"}))
    told = of(lines(endpoint=dropping), Severity.WARNING)
    assert len(told) == 1
    assert told[0].startswith("the candidate is not sent a pinned top_p in 1 prompt (p)")
    assert of(lines(endpoint=an_endpoint(sampling={"top_p": 1}), temperature=0, max_tokens=1), Severity.WARNING) == []


@pytest.mark.parametrize(("stated", "probed"), [(20, None), (None, 20), (20, 9_000)])
def test_a_window_that_is_too_small_is_a_warning(stated: int | None, probed: int | None) -> None:
    found = lines(endpoint=an_endpoint(context_window=stated), context_window=probed)
    assert any("more than the candidate's context window of 20" in told for told in of(found, Severity.WARNING))


def test_a_window_that_holds_everything_is_shown_and_one_unknown_is_said() -> None:
    assert any("context window is 9,000" in told for told in of(lines(context_window=9_000), Severity.INFO))
    assert any("window is not known of the candidate" in told for told in of(lines(), Severity.INFO))


def test_a_rejected_feature_refuses_and_an_ignored_one_warns() -> None:
    found = lines(
        a_result("max_tokens", ProbeClass.REJECTED, evidence="HTTP 400: use 'max_completion_tokens'"),
        a_result("stream_usage", ProbeClass.IGNORED),
        a_result("logprobs", ProbeClass.REJECTED),
    )
    refused, warned = of(found, Severity.REFUSAL), of(found, Severity.WARNING)
    assert len(refused) == 1, "logprobs is not needed"
    assert refused[0].startswith("the candidate rejects max_tokens, which 1 prompt needs (p)")
    assert any("ignores stream_usage" in told and "stream_usage: false" in told for told in warned)


def test_the_servers_own_words_give_the_name_to_send() -> None:
    text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    found = lines(a_result("max_tokens", ProbeClass.REJECTED, evidence=f"HTTP 400, bad_request: {text}"))
    assert "params: {rename: {max_tokens: max_completion_tokens}}" in of(found, Severity.REFUSAL)[0]


def test_what_is_needed_and_was_not_probed_is_named() -> None:
    told = of(lines(a_result("chat"), a_result("stream"), a_result("models")), Severity.INFO)
    assert any("--probe asks for them: stream_usage, max_tokens (not in r/p)" in one for one in told)


def test_an_endpoint_that_answers_under_another_name_is_a_warning() -> None:
    told = of(lines(a_result("chat", facts={"model": "m-mini"})), Severity.WARNING)
    assert "the candidate was asked for 'm' and answered as 'm-mini'" in told[0]
    assert of(lines(a_result("chat", facts={"model": "m"})), Severity.WARNING) == []


REFUSED = (
    "HTTP 400, bad_request: Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
)


@pytest.mark.parametrize(
    ("probe", "outcome", "evidence"),
    [
        ("chat", ProbeClass.REJECTED, REFUSED),
        ("stream", ProbeClass.INCONCLUSIVE, f"the control failed: {REFUSED}"),
        ("max_tokens", ProbeClass.INCONCLUSIVE, f"the control failed: {REFUSED}"),
    ],
)
def test_a_plain_request_that_is_refused_for_its_budget_is_met_with_the_other_name(
    probe: str, outcome: ProbeClass, evidence: str
) -> None:
    result = a_result(probe, outcome, evidence=evidence)
    assert remedy(result) == "Write params: {rename: {max_tokens: max_completion_tokens}} into its file"
    told = [line for line in lines(result, **PINNED, stream=True) if line.probe == probe]
    assert not any(line.text.endswith(".") for line in told)


def test_what_is_uncertain_for_another_reason_has_no_remedy() -> None:
    assert remedy(a_result("seed", ProbeClass.INCONCLUSIVE, evidence="the control failed: HTTP 500")) == ""
