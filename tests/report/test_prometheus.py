import math
from dataclasses import replace

import pytest

from harness.analysis.results.analysis import Analysis
from harness.analysis.results.estimates import Value
from harness.report.prometheus import render_prometheus
from tests.report.cases import CASES, hostile
from tests.report.promtext import Read, read
from tests.report.sample import header, sample, single


def samples(analysis: Analysis, name: str) -> list[Read]:
    return [one for one in read(render_prometheus(analysis, header())) if one.name == name]


@pytest.mark.parametrize("case", [*CASES, "hostile"])
def test_every_file_reads_back(case: str) -> None:
    made = {**CASES, "hostile": hostile}[case]
    assert read(render_prometheus(made(), header()))


@pytest.mark.parametrize(
    "text",
    [
        "# HELP a b\n# TYPE a gauge\na 1",
        "a 1\n",
        "# HELP a b\n# TYPE a gauge\nb 1\n",
        '# HELP a b\n# TYPE a gauge\na{x="y} 1\n',
        '# HELP a b\n# TYPE a gauge\na{x="\\q"} 1\n',
        "# HELP a b\n# TYPE a gauge\na one\n",
        "# HELP a b\n# TYPE a gauge\na 1\na 2\n",
    ],
)
def test_the_reader_refuses_what_is_not_the_format(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(text)


def test_figures_are_those_of_the_analysis() -> None:
    told = sample()
    tail = next(tail for tail in told.tails if tail.metric == "ttft" and tail.arm == "candidate")
    expected = {f"{one.q:g}": one.value.value for one in tail.quantiles if one.value.value is not None}
    found = {
        one.labels["quantile"]: one.value
        for one in samples(told, "bench_ttft_seconds")
        if one.labels["arm"] == "candidate"
    }
    assert found == expected
    assert {one.labels["verdict"]: one.value for one in samples(told, "bench_verdict")} == {
        "PASS": 0.0,
        "FAIL": 1.0,
        "INCONCLUSIVE": 0.0,
        "INVALID": 0.0,
    }
    assert [one.value for one in samples(told, "bench_exit_code")] == [1.0]
    (margin,) = (one.value for one in samples(told, "bench_gate_margin") if one.labels["gate"] == "ttft_p50")
    assert told.judgement is not None
    assert margin == next(gate.margin for gate in told.judgement.gates if gate.id == "ttft_p50")


def test_an_undefined_value_has_no_sample_and_an_infinite_one_is_infinite() -> None:
    told = sample()
    tail = replace(
        told.tails[0],
        quantiles=tuple(
            replace(one, value=Value(value=math.inf) if place else Value(value=None, reason="too few"))
            for place, one in enumerate(told.tails[0].quantiles)
        ),
    )
    found = samples(replace(told, tails=(tail,)), "bench_ttft_seconds")
    assert len(found) == len(tail.quantiles) - 1
    assert {one.value for one in found} == {math.inf}


def test_one_endpoint_has_no_verdict() -> None:
    assert samples(single(), "bench_verdict") == []
    assert len(samples(single(), "bench_run_info")) == 1


def test_labels_are_escaped() -> None:
    told = sample()
    case = replace(told.case, reference=replace(told.case.reference, name='a"b\\c\nd'))
    (info,) = (one for one in samples(replace(told, case=case), "bench_run_info") if one.labels["arm"] == "reference")
    assert info.labels["endpoint"] == 'a"b\\c\nd'
