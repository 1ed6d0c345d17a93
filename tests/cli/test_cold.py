"""`bench cold` and the first contact of a comparison, against an endpoint that sleeps and logs what it did."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.analysis.results.cold import WakeOutcome
from harness.cli import main
from harness.cli.coldrunning import exit_code, stage_line
from harness.measure.coldrun import Stage
from harness.model.storage import load_run
from harness.simulator.truth import TruthLine, read_truth
from harness.units import seconds
from tests.cli.files import endpoint_file, exact_repeats
from tests.cli.simulated import Bench

MINUTES = {"wake_s": 72.0, "idle_after_s": 12.0, "cap_s": 600.0, "time_scale": 100.0}  # 0.72 s, 0.12 s, 6 s


def cold(folder: Path, file: Path, *words: str) -> Result:
    places = ["--out", str(folder / "results"), "--reports", str(folder / "reports")]
    return CliRunner().invoke(main, ["cold", str(file), *words, *places])


def measured(folder: Path, profile: Mapping[str, Any], *words: str) -> tuple[Result, dict[str, Any], list[TruthLine]]:
    with Bench(folder=folder).serving("x", cold=dict(profile)) as simulator:
        shown = cold(folder, endpoint_file(folder, "x", simulator.base_url), "--yes", "--json", *words)
    assert simulator.truth is not None
    return shown, json.loads(shown.stdout), read_truth(simulator.truth)


def test_the_split_of_two_wakes_is_what_the_endpoint_logged(tmp_path: Path) -> None:
    words = ("--is-cold", "--repeats", "2", "--idle", "0.2", "--budget", "5", "--cap", "6")
    shown, found, truth = measured(tmp_path, MINUTES, *words)
    assert (shown.exit_code, [wake["outcome"] for wake in found["wakes"]]) == (0, ["within budget"] * 2)
    assert len(truth) == 4
    attempts = load_run(Path(found["folder"])).attempts
    assert [attempt.is_possibly_cold for attempt in attempts] == [True, False, True, False]
    for wake, line, attempt in zip(found["wakes"], truth[::2], attempts[::2], strict=True):
        parts = {part["phase"]: part["duration_s"] for part in wake["split"]}
        assert sum(parts.values()) == pytest.approx(wake["wait_s"])
        assert seconds(line.started_at_ns - line.arrived_at_ns) == pytest.approx(0.72)
        sent = attempt.sent_at_ns or 0
        assert sent <= line.arrived_at_ns
        assert parts["first byte"] >= seconds(line.at_ns[0] - sent)  # nothing is seen before it was sent
        assert parts["first byte"] <= seconds((attempt.ended_at_ns or 0) - sent)
        first_output = next(i for i, n_tokens in enumerate(line.n_tokens) if n_tokens)
        assert wake["ttft"]["value"] >= seconds(line.at_ns[first_output] - sent)
        assert wake["warm_ttft"]["value"] < 0.3
    page = Path(found["page"]).read_text(encoding="utf-8")
    assert 'id="cold"' in page
    assert "within budget" in page


def test_a_wake_beyond_the_cap_is_capped_and_tried_once_more(tmp_path: Path) -> None:
    profile = {"wake_s": 62.0, "cap_s": 60.0, "time_scale": 200.0}  # 0.31 s and 0.30 s
    shown, found, truth = measured(tmp_path, profile, "--is-cold", "--budget", "0.2", "--cap", "0.3")
    assert shown.exit_code == 1
    assert [wake["outcome"] for wake in found["wakes"]] == ["capped"]
    assert [line.status for line in truth] == [504, 200, 200]


def test_an_endpoint_that_another_tenant_keeps_warm_is_no_wake(tmp_path: Path) -> None:
    shown, found, truth = measured(tmp_path, {**MINUTES, "kept_warm_after": 0}, "--is-cold")
    assert shown.exit_code == 3
    assert [wake["outcome"] for wake in found["wakes"]] == ["cold not confirmed"]
    assert len(truth) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--is-cold",), "nobody is there to agree"),
        (("--yes",), "after how much idle time the endpoint sleeps"),
        (("--yes", "--is-cold", "--repeats", "2"), "after how much idle time the endpoint sleeps"),
        (("--yes", "--is-cold", "--budget", "9", "--cap", "8"), "above the cap"),
    ],
)
def test_nothing_is_sent_without_what_it_needs(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    shown = cold(tmp_path, endpoint_file(tmp_path, "x", "http://127.0.0.1:9/v1"), *words)
    assert shown.exit_code == 2
    assert told in shown.output
    assert not (tmp_path / "results").exists()


def test_the_cost_and_the_time_are_said_before_anybody_agrees(tmp_path: Path) -> None:
    file = endpoint_file(tmp_path, "x", "http://127.0.0.1:9/v1", cold={"idle_after_s": 900, "cap_s": 600})
    told = cold(tmp_path, file, "--repeats", "3").output
    assert "3 wakes" in told
    assert "47 min idle" in told  # 3 × 900 s × 1.05
    assert "11 min a wake at most (its cap of 10 min and 60 s to hear of it), twice where" in told
    assert "113 min at most in all" in told  # 47.25 min idle and 3 × 2 × 11 min
    assert "up to 105 min of GPU time together" in told  # 3 × (2 × 600 + 900) s


def test_an_endpoint_that_cannot_be_reached_was_not_measured(tmp_path: Path) -> None:
    shown = cold(tmp_path, endpoint_file(tmp_path, "x", "http://127.0.0.1:9/v1"), "--yes", "--is-cold")
    assert shown.exit_code == 75
    assert "failed" in shown.stdout


def test_certificates_that_nobody_verified_are_said_before_and_after(tmp_path: Path) -> None:
    file = endpoint_file(tmp_path, "x", "https://127.0.0.1:9/v1", tls={"verify": False})
    shown = cold(tmp_path, file, "--yes", "--is-cold")
    assert "WARNING: TLS certificates of x are not verified" in shown.stderr
    assert "CERTIFICATES NOT VERIFIED: reference x" in shown.stdout
    told = cold(tmp_path, file, "--yes", "--is-cold", "--json", "--quiet")
    assert json.loads(told.stdout)["tls_verified"] is False


def test_the_worst_wake_decides_the_exit_code() -> None:
    within, capped, warm, lost = (
        WakeOutcome.WITHIN_BUDGET,
        WakeOutcome.CAPPED,
        WakeOutcome.NOT_CONFIRMED,
        WakeOutcome.FAILED,
    )
    assert [exit_code(list(found)) for found in ((within,), (within, warm), (warm, lost), (lost, capped))] == [
        0,
        3,
        75,
        1,
    ]


def test_the_wait_is_shown() -> None:
    assert stage_line(Stage(words="wake 1 of 2: one request in flight", for_s=660.0), 43.2) == (
        "wake 1 of 2: one request in flight, 43 s of at most 660 s"
    )


@pytest.mark.parametrize("more", [(), ("--workers", "2")])
def test_a_comparison_meets_a_sleeping_side_with_one_request_and_shows_the_wake(
    tmp_path: Path, more: tuple[str, ...]
) -> None:
    bench = Bench(folder=tmp_path)
    settings = exact_repeats(tmp_path)
    with bench.serving("a") as warm, bench.serving("b", 2, cold=dict(MINUTES, idle_after_s=6000)) as sleepy:
        files = (
            endpoint_file(tmp_path, "a", warm.base_url),
            endpoint_file(tmp_path, "b", sleepy.base_url, cold={"scales_to_zero": True, "budget_s": 5, "cap_s": 6}),
        )
        words = ("--settings", str(settings), "--repeats", "1", "--concurrency", "4", *more)
        outcome = bench.compare(*files, *words)
    assert sleepy.truth is not None
    woken, *others = sorted(read_truth(sleepy.truth), key=lambda line: line.arrived_at_ns)
    assert woken.started_at_ns - woken.arrived_at_ns == 720_000_000
    assert len(others) > 5
    assert all(line.arrived_at_ns > woken.started_at_ns for line in others)
    (path,) = outcome.summary["cold"]
    assert (path["arm"], [wake["outcome"] for wake in path["wakes"]]) == ("candidate", ["within budget"])
    ttft = [tail for tail in outcome.summary["tails"] if tail["metric"] == "ttft" and tail["arm"] == "candidate"]
    assert ttft[0]["worst"] < 0.72
    assert 'id="cold"' in outcome.report.read_text(encoding="utf-8")
