"""A short form of benchmarks/calibration.py: fewer sets and fewer draws, bounds that chance does not break."""

from benchmarks.calibration import SCENARIOS, Scenario, count, judgements, upper_bound
from benchmarks.synthetic import Defect
from harness.analysis.gatefigures import Draws

FEW = Draws(bootstrap=500, permutation=999)


def test_equal_endpoints_rarely_fail() -> None:
    found = count(judgements(SCENARIOS[0], 100, 1, FEW))
    assert found.sets == 100
    # Were the true rate as high as 5 %, more than 15 of 100 would have a chance of 4 in 100,000.
    assert found.verdicts["FAIL"] <= 15
    assert found.verdicts["INVALID"] == 0


def test_equal_endpoints_that_make_no_mistake_mostly_pass() -> None:
    perfect = Scenario(name="no mistakes", never_wrong=True)
    found = count(judgements(perfect, 25, 2, FEW))
    # 98.8 % of 1,000 such sets passed; at 98 % fewer than 20 of 25 would have a chance of 8 in a million.
    assert found.verdicts["PASS"] >= 20


def test_a_ttft_of_1_6_times_is_found() -> None:
    slow = Scenario(name="slow", defect=Defect(ttft_factor=1.6))
    assert count(judgements(slow, 10, 3, FEW)).verdicts["FAIL"] == 10


def test_failures_of_the_candidate_are_found() -> None:
    lossy = Scenario(name="lossy", defect=Defect(failure=0.3))
    assert count(judgements(lossy, 5, 4, FEW)).verdicts["FAIL"] == 5


def test_the_upper_bound_of_no_event_is_the_rule_of_three() -> None:
    assert round(upper_bound(0, 1_000), 4) == 0.0030
