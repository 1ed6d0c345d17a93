"""What `bench compare` and `bench run` say and refuse before they measure, and the checklist afterwards."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.preflight import probes_known
from harness.model.probe import ProbeClass, ProbeReport
from harness.model.probestorage import load_probe_report
from tests.cli.files import exact_repeats, write_yaml
from tests.cli.simulated import Bench
from tests.cli.test_mistakes import Doorbell, compare
from tests.model.probings import a_folder, a_report, a_result

REJECTING = (a_result("chat"), a_result("tool_auto", ProbeClass.REJECTED, evidence="HTTP 400, bad_request: no tools"))


def an_endpoint(folder: Path, url: str, **more: Any) -> tuple[Path, dict[str, Any]]:
    fields = {"name": "b", "base_url": url, "model": "sim-model", **more}
    return write_yaml(folder / "b.yml", fields), fields


def of(fields: dict[str, Any], *results: Any, **more: Any) -> ProbeReport:
    return a_report(*results, **{"endpoint": fields, **more})


def running(folder: Path, file: Path, *words: str) -> Result:
    golden = Bench(folder=folder).golden
    output = ["--out", str(folder / "results"), "--reports", str(folder / "reports"), "--golden", str(golden)]
    return CliRunner().invoke(main, ["run", str(file), *output, *words])


@pytest.fixture
def bell() -> Any:
    found = Doorbell()
    yield found
    found.close()


def test_a_needed_feature_that_is_rejected_refuses_the_run_and_nothing_is_sent(tmp_path: Path, bell: Doorbell) -> None:
    file, fields = an_endpoint(tmp_path, bell.base_url)
    a_folder(tmp_path / "results", of(fields, *REJECTING))
    shown = running(tmp_path, file)
    assert shown.exit_code == 2, shown.output
    assert "the reference rejects tool_auto, which 3 prompts need (weather-oslo, weather-lima, weather-cairo)" in (
        shown.output
    )
    assert "--skip-preflight" in shown.output
    assert not bell.was_rung()
    assert [folder.name for folder in (tmp_path / "results").iterdir()] == ["b-probe"]


def test_the_newest_probes_of_this_very_endpoint_count(tmp_path: Path, bell: Doorbell) -> None:
    file, fields = an_endpoint(tmp_path, bell.base_url)
    results = tmp_path / "results"
    a_folder(results, of(fields, *REJECTING, probing_id="0-probe", started_at="2026-01-03T00:00:00+00:00"))
    a_folder(results, of(fields, a_result("tool_auto"), probing_id="1-probe", started_at="2026-01-02T00:00:00+00:00"))
    elsewhere = of(fields | {"base_url": "http://other.test/v1"}, a_result("tool_auto"), probing_id="2-probe")
    a_folder(results, elsewhere)
    (results / "torn-probe").mkdir()
    assert running(tmp_path, file).exit_code == 2


def test_an_ignored_feature_is_a_warning_and_the_run_goes_on(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    exact = str(exact_repeats(tmp_path))
    with bench.serving("b") as simulator:
        file, fields = an_endpoint(tmp_path, simulator.base_url)
        a_folder(tmp_path / "results", of(fields, a_result("tool_auto", ProbeClass.IGNORED, evidence="prose instead")))
        shown = running(tmp_path, file, "--settings", exact, "--repeats", "1")
    assert shown.exit_code == 0, shown.output
    assert "WARNING: the reference answers 200 and ignores tool_auto" in shown.stderr
    assert "not sent a pinned top_p in 8 prompts" in shown.stderr


def test_a_refusal_can_be_passed_over_and_the_checklist_of_that_run_names_it(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    exact = str(exact_repeats(tmp_path))
    with bench.serving("b") as simulator:
        file, fields = an_endpoint(tmp_path, simulator.base_url)
        probes = a_folder(tmp_path / "results", of(fields, *REJECTING))
        shown = running(tmp_path, file, "--settings", exact, "--repeats", "1", "--skip-preflight")
    assert shown.exit_code == 0, shown.output
    run = next(folder for folder in (tmp_path / "results").iterdir() if folder != probes)
    told = CliRunner().invoke(main, ["checklist", str(run)])
    assert told.exit_code == 0, told.output
    assert "- [ ] **Each non-core feature in use is probed and recorded**: failed. tool\\_auto rejected" in told.stdout
    assert "- [x] **Smoke test: one stream**: done. " in told.stdout
    assert "- Do without tool\\_auto." in told.stdout
    page = next((tmp_path / "reports").glob("*.html")).read_text()
    assert 'id="checklist"' in page
    assert "Do without tool_auto." in page


def test_probes_of_another_endpoint_are_refused_by_the_checklist(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    with bench.serving("b") as simulator:
        file, fields = an_endpoint(tmp_path, simulator.base_url)
        assert running(tmp_path, file, "--settings", str(exact_repeats(tmp_path)), "--repeats", "1").exit_code == 0
    run = next((tmp_path / "results").iterdir())
    other = a_folder(tmp_path / "elsewhere", of(fields | {"name": "c"}, a_result()))
    told = CliRunner().invoke(main, ["checklist", str(run), "--probes", str(other)])
    assert told.exit_code == 2
    assert "these probes are of another endpoint (not of b: name 'c' instead of 'b')" in told.output
    moved = a_folder(tmp_path / "moved", of(fields | {"model": "m2", "base_url": "http://x.test/v1"}, a_result()))
    told = CliRunner().invoke(main, ["checklist", str(run), "--probes", str(moved)])
    assert told.exit_code == 2, "the same name alone makes no endpoint the same"
    assert "base_url 'http://x.test/v1' instead of" in told.output
    assert "model 'm2' instead of 'sim-model'" in told.output
    output = tmp_path / "cutover.md"
    own = a_folder(tmp_path / "elsewhere", of(fields, a_result("tool_auto"), probing_id="own-probe"))
    for named in (own, own / "probes.json"):
        words = ["checklist", str(run), "--probes", str(named), "-o", str(output)]
        assert CliRunner().invoke(main, words).exit_code == 0
        assert "own-probe" in output.read_text()
    assert f"bench probe {shlex.quote(str(file))} --probe" in output.read_text()
    assert f"`bench cold {shlex.quote(str(file))} --idle 900`" in output.read_text()


def test_what_the_set_needs_is_probed_first_where_asked_for(tmp_path: Path) -> None:
    bench = Bench(folder=tmp_path)
    exact = str(exact_repeats(tmp_path))
    with bench.serving("b") as simulator:
        file, _ = an_endpoint(tmp_path, simulator.base_url, limits={"requests_per_minute": 60_000})
        shown = running(tmp_path, file, "--settings", exact, "--repeats", "1", "--probe")
    assert shown.exit_code == 0, shown.output
    (folder,) = (tmp_path / "results").glob("*-probe")
    probed = [result.id for result in load_probe_report(folder).results]
    assert probed == ["models", "chat", "stream", "stream_usage", "max_tokens", "tool_auto", "tool_stream"]
    assert "probing b: 7 probes" in shown.stderr


def test_declared_differences_are_shown(tmp_path: Path, bell: Doorbell) -> None:
    golden = Bench(folder=tmp_path).golden
    a = write_yaml(tmp_path / "a.yml", {"name": "a", "base_url": bell.base_url, "model": "m1"})
    b, fields = an_endpoint(tmp_path, bell.base_url, sampling={"seed": 7})
    a_folder(tmp_path / "results", of(fields, *REJECTING))
    shown = compare(tmp_path, str(a), str(b), "--golden", str(golden))
    assert shown.exit_code == 2, shown.output
    assert "preflight: declared difference in every prompt: model: 'm1' → 'sim-model'" in shown.output
    assert "preflight: declared difference in every prompt: seed: not sent → 7" in shown.output
    assert "preflight: not probed yet: the reference\n" in shown.output


def test_a_probing_of_a_part_hides_no_older_result_and_each_says_its_day(tmp_path: Path, bell: Doorbell) -> None:
    file, fields = an_endpoint(tmp_path, bell.base_url)
    results = tmp_path / "results"
    whole = {"probing_id": "0-probe", "started_at": "2026-01-02T00:00:00+00:00", "context_window": 4096}
    a_folder(results, of(fields, a_result("stream", ProbeClass.BROKEN), *REJECTING, **whole))
    a_folder(results, of(fields, a_result("stream"), probing_id="1-probe", started_at="2026-01-03T00:00:00+00:00"))
    shown = running(tmp_path, file)
    assert shown.exit_code == 2, shown.output
    assert "rejects tool_auto" in shown.output
    assert "(probed on 2026-01-02)" in shown.output
    found = probes_known(results, fields)
    assert found is not None
    assert found.source == f"{results / '1-probe'}, {results / '0-probe'}"
    outcomes = {result.id: result.outcome.value for result in found.report.results}
    assert outcomes == {"stream": "supported", "chat": "supported", "tool_auto": "rejected"}
    assert found.report.context_window == 4096
    assert not bell.was_rung()


def test_probes_given_by_folder_count_and_those_of_another_endpoint_are_refused(tmp_path: Path, bell: Doorbell) -> None:
    file, fields = an_endpoint(tmp_path, bell.base_url)
    own = a_folder(tmp_path / "elsewhere", of(fields, *REJECTING))
    shown = running(tmp_path, file, "--probes", str(own))
    assert (shown.exit_code, "rejects tool_auto" in shown.output) == (2, True), shown.output
    other = a_folder(tmp_path / "other", of(fields | {"model": "m2"}, a_result()))
    shown = running(tmp_path, file, "--probes", str(other / "probes.json"))
    assert (shown.exit_code, "model 'm2' instead of 'sim-model'" in shown.output) == (2, True), shown.output
    assert not bell.was_rung()


def test_a_record_with_all_probes_is_held_against_one_sum_too(tmp_path: Path, bell: Doorbell) -> None:
    """The run alone fits, and so do the probes: together they do not, and no probe is sent before that is known."""
    prices = {"input_per_mtok": 0, "output_per_mtok": 0, "per_request": 1}
    endpoint = {"name": "a", "base_url": bell.base_url, "model": "m", "context_window": 4096, "prices": prices}
    file = write_yaml(tmp_path / "a.yml", endpoint)
    words = ["record", str(file), "--golden", str(Bench(folder=tmp_path).golden), "--out", str(tmp_path / "results")]

    def told(*more: str) -> str:
        shown = CliRunner().invoke(main, [*words, "--reports", str(tmp_path / "reports"), *more])
        assert shown.exit_code == 2, shown.output
        return shown.output

    alone = re.search(r"the run may cost (\d+)\.00", told("--max-cost", "2"))
    both = re.search(r"the run with its probes may cost (\d+)\.00", out := told("--all-probes", "--max-cost", "2"))
    n_probes = re.search(r"probing a: .*at most (\d+) requests", out)
    assert alone
    assert both
    assert n_probes
    assert int(both[1]) == int(alone[1]) + int(n_probes[1])
    told("--all-probes", "--max-cost", str(int(both[1]) - 1))
    assert not bell.was_rung()


def test_one_sum_of_both_sides_probes_and_run_is_held_against_the_money(tmp_path: Path, bell: Doorbell) -> None:
    golden = str(Bench(folder=tmp_path).golden)
    prices = {"input_per_mtok": 0, "output_per_mtok": 0, "per_request": 1}
    files = [
        str(
            write_yaml(
                tmp_path / f"{name}.yml", {"name": name, "base_url": bell.base_url, "model": "m", "prices": prices}
            )
        )
        for name in "ab"
    ]
    words = [*files, "--golden", golden, "--probe", "--max-cost"]
    refused = compare(tmp_path, *words, "10")
    told = re.search(r"the run with its probes may cost (\d+)\.00, more than --max-cost 10\.00", refused.output)
    assert told, refused.output
    run_alone = compare(tmp_path, *files, "--golden", golden, "--max-cost", "10")
    alone = re.search(r"the run may cost (\d+)\.00", run_alone.output)
    assert alone, run_alone.output
    n_probes = [int(n) for n in re.findall(r"probing [ab]: .*at most (\d+) requests", refused.output)]
    assert len(n_probes) == 2
    assert int(told[1]) == int(alone[1]) + sum(n_probes)
    assert not bell.was_rung()
