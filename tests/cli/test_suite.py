"""`bench suite`: the file, the commands made of it, what becomes of the rest when one fails, the one exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result

from harness.cli import commandprocess, main, suiterunning
from harness.cli.commandprocess import Ended, run_command
from harness.cli.overlap import one_at_a_time
from harness.cli.suiterunning import SuiteRun
from harness.clock import ManualClock
from harness.errors import ConfigError, IncompleteRunError
from harness.model.suite import Suite, limit_of, load_suite, suite_schema, words_of_check, words_of_measurement
from harness.model.suiteoutcome import MeasurementState, SuiteOutcome, plain_exit_code, worst_exit_code
from harness.report.suitesummary import suite_lines, suite_markdown
from harness.units import NS_PER_S
from tests.cli.files import write_yaml

NIGHTLY: dict[str, Any] = {
    "name": "nightly",
    "ledger": "history/ledger.jsonl",
    "defaults": {"golden": "set.yml", "repeats": 5, "max_cost": 2, "placebo": True},
    "measurements": [
        {"name": "today", "run": "a.yml", "repeats": 3},
        {"name": "move", "compare": ["a.yml", "b.yml"], "settings": "margins.yml", "load": [1, 4.5]},
        {"name": "screen", "compare": ["a.yml", "c.yml"], "quick": True, "placebo": False},
    ],
}
EVERY: dict[str, Any] = {
    "golden": "g.yml",
    "settings": "s.yml",
    "repeats": 2,
    "seed": 7,
    "concurrency": 3,
    "load": [2.0],
    "arrival": "closed",
    "max_cost": 1.5,
    "isolate": True,
    "workers": 2,
    "probe": True,
    "skip_preflight": True,
    "placebo": True,
    "quick": True,
    "certify": True,
    "sequential": True,
    "regress": "confirm",
    "max_time_s": 60,
}
VERDICTS = {0: "PASS", 1: "FAIL", 3: "INCONCLUSIVE", 4: "INVALID"}


def suite_of(folder: Path, content: object = NIGHTLY) -> Suite:
    return load_suite(write_yaml(folder / "suite.yml", content))


def words_of(folder: Path, content: object = NIGHTLY) -> list[str]:
    suite = suite_of(folder, content)
    return [" ".join(words_of_measurement(suite, measurement, folder=folder)) for measurement in suite.measurements]


def test_a_measurement_becomes_the_command_that_measures_it(tmp_path: Path) -> None:
    end = "--max-cost 2.0 {}--ledger history/ledger.jsonl --out results --reports reports"
    assert words_of(tmp_path) == [
        f"bench run a.yml --golden set.yml --repeats 3 {end.format('')}",
        "bench compare a.yml b.yml --golden set.yml --settings margins.yml --repeats 5 --load 1,4.5 "
        + end.format("--placebo "),
        f"bench compare a.yml c.yml --golden set.yml {end.format('--quick ')}",  # a preset says how many repeats
    ]


def test_own_repeats_leave_out_the_presets_of_the_defaults(tmp_path: Path) -> None:
    content = {"name": "s", "defaults": {"certify": True}, "measurements": [{"name": "p", "compare": ["a", "b"]}]}
    assert "--certify" in words_of(tmp_path, content)[0]
    (words,) = words_of(tmp_path, {**content, "measurements": [{"name": "p", "compare": ["a", "b"], "repeats": 7}]})
    assert words == "bench compare a b --repeats 7 --out results --reports reports"
    main.commands["compare"].make_context("compare", words.split()[2:])  # it is understood


def test_the_report_of_two_runs_is_found_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "results" / "new").mkdir(parents=True)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "new-against-old.html").touch()
    sides = [{"run_id": "old", "was_recorded_earlier": True}, {"run_id": "new"}]
    run = SuiteRun(suite=suite_of(tmp_path), folder=tmp_path, runner=run_command)
    found = run._found(json.dumps({"sides": sides}))
    assert (found["run"], found["report"]) == ("results/new", "reports/new-against-old.html")


def test_a_recorded_side_brings_its_golden_set(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for side in ("kept", "kept:candidate"):
        (words,) = words_of(tmp_path, {**NIGHTLY, "measurements": [{"name": "p", "compare": [side, "b.yml"]}]})
        assert "--golden" not in words
        assert f"compare {side} b.yml" in words


def test_every_key_is_an_option_that_its_command_has(tmp_path: Path) -> None:
    measurements = [{"name": name, "compare": ["a", "b"], name: True} for name in ("quick", "certify", "sequential")]
    measurements += [{"name": "all", "compare": ["a", "b"], **EVERY}]
    of_run = {name: EVERY[name] for name in EVERY if name not in ("placebo", "quick", "certify", "sequential")}
    suite = suite_of(tmp_path, {**NIGHTLY, "measurements": [*measurements, {"name": "run", "run": "a.yml", **of_run}]})
    for measurement in suite.measurements:
        _, name, *words = words_of_measurement(suite, measurement)
        given = main.commands[name].make_context(name, words).params
        for key in EVERY if measurement.name in ("all", "run") else ():
            if key in given:
                asked = EVERY[key]
                assert given[key] == (Path(asked) if key in ("golden", "settings") else asked), key
    assert set(EVERY) == set(Suite.__annotations__["defaults"].__origin__.__struct_fields__)


def test_a_limit_of_time_is_its_own_or_the_default(tmp_path: Path) -> None:
    measurements = [{"name": "own", "run": "a.yml", "max_time_s": 5}, {"name": "other", "run": "a.yml"}]
    suite = suite_of(tmp_path, {**NIGHTLY, "defaults": {"max_time_s": 60}, "measurements": measurements})
    assert [limit_of(suite, measurement) for measurement in suite.measurements] == [5, 60]


@pytest.mark.parametrize(
    ("measurements", "said"),
    [
        ([], "expected a list"),
        ([{"name": "p"}], r"suite.yml:\d+ \(measurements\[0\]\): measurement 'p' must be either a run or a comparison"),
        ([{"name": "p", "run": "a.yml", "compare": ["a.yml", "b.yml"]}], "must be either a run or a comparison"),
        ([{"name": "p", "compare": ["a.yml"]}], "measurements"),
        ([{"name": "p", "run": "a.yml", "repeets": 3}], "unknown key 'repeets'. Did you mean 'repeats'"),
        ([{"name": "p", "run": "a.yml", "repeats": 0}], "from 1 to 1000"),
        ([{"name": "p", "run": "a.yml", "quick": True}], "quick is for comparisons"),
        ([{"name": "p", "run": "a.yml", "regress": "check"}], "regress needs a ledger"),
        ([{"name": "p", "run": "--out"}], "would be read as an option"),
        ([{"name": "p", "run": "a.yml"}, {"name": "p", "run": "b.yml"}], "two measurements are called 'p'"),
        ([{"name": "a b", "run": "a.yml"}], "letters, digits"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line(measurements: list[Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        suite_of(tmp_path, {"name": "s", "measurements": measurements})


def test_the_schema_accepts_what_is_read_and_refuses_what_is_not() -> None:
    validator = jsonschema.Draft202012Validator(suite_schema())
    validator.check_schema(suite_schema())
    assert validator.is_valid(NIGHTLY)
    assert validator.is_valid({**NIGHTLY, "measurements": [{"name": "all", "compare": ["a", "b"], **EVERY}]})
    assert not validator.is_valid({**NIGHTLY, "measurements": []})
    assert not validator.is_valid({**NIGHTLY, "defaults": {"repeets": 3}})


@pytest.mark.parametrize(
    ("codes", "worst"),
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 4], 4),
        ([4, 75], 75),
        ([75, 130], 130),
        ([130, 2], 2),
        ([2, 70], 70),
        ([70, 1], 1),
        ([1, 75, 2, 4, 130, 3, 0, 70], 1),
    ],
)
def test_the_worst_code_stands_for_all(codes: list[int], worst: int) -> None:
    assert worst_exit_code(codes) == worst_exit_code(codes[::-1]) == worst


@pytest.mark.parametrize(("code", "plain"), [(0, 0), (130, 130), (-9, 75), (-11, 75), (120, 70), (255, 70)])
def test_a_process_that_ended_otherwise_is_no_verdict(code: int, plain: int) -> None:
    assert plain_exit_code(code) == plain


@dataclass(slots=True, kw_only=True)
class Night:
    """Measurements that end as told, in virtual time."""

    codes: Sequence[int | BaseException]
    takes_s: float = 10.0
    clock: ManualClock = field(default_factory=ManualClock)
    asked: list[tuple[list[str], float | None]] = field(default_factory=list)
    during: Callable[[], None] = lambda: None

    def run(self, words: list[str], *, limit_s: float | None, hear: Callable[[str], None], **_: Any) -> Ended:
        code = self.codes[len(self.asked)]
        self.asked.append((words, limit_s))
        self.during()
        if isinstance(code, BaseException):
            raise code
        is_stopped = limit_s is not None and limit_s < self.takes_s
        self.clock.at_ns += round((limit_s if is_stopped and limit_s is not None else self.takes_s) * NS_PER_S)
        if code in (2, 70, 75):
            hear("something was odd")
            hear(f"bench: ended with {code}")
        summary: dict[str, Any] = {"verdict": VERDICTS.get(code), "sentence": "So it is.", "sides": []}
        printed = json.dumps(summary) if code in VERDICTS else ""
        return Ended(returncode=130 if is_stopped else code, printed=printed, was_stopped=is_stopped)

    def outcome(self, folder: Path, **more: Any) -> SuiteOutcome:
        suite = suite_of(folder)
        return SuiteRun(suite=suite, folder=folder, runner=self.run, clock=self.clock, **more).run()


@pytest.mark.parametrize("code", [1, 2, 3, 4, 70, 75, -9, 99])
def test_one_that_fails_never_stops_the_rest(code: int, tmp_path: Path) -> None:
    night = Night(codes=[code, 0, 0])
    outcome = night.outcome(tmp_path)
    assert [one.exit_code for one in outcome.measurements] == [plain_exit_code(code), 0, 0]
    assert [one.state for one in outcome.measurements] == [MeasurementState.ENDED] * 3
    assert outcome.exit_code == plain_exit_code(code)
    assert [words[0] for words, _ in night.asked] == ["run", "compare", "compare"]
    assert outcome.duration_s == 30.0


def test_what_went_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = Night(codes=[2, -11, 1]).outcome(tmp_path)
    assert [measurement.error for measurement in outcome.measurements] == [
        "ended with 2",
        "its process was ended by signal 11",
        None,
    ]
    assert outcome.measurements[2].verdict == "FAIL"
    said = capsys.readouterr().err
    assert "bench: today, exit code 2: ended with 2\n" in said
    assert "today: something was odd\n" in said


def test_a_quiet_suite_says_its_errors_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Night(codes=[2, 0, 1]).outcome(tmp_path, is_quiet=True)
    assert capsys.readouterr().err == "bench: today, exit code 2: ended with 2\n"


def test_a_suite_whose_time_is_over_ends_what_runs_and_starts_no_other(tmp_path: Path) -> None:
    night = Night(codes=[0, 0, 0])
    outcome = night.outcome(tmp_path, limit_s=15.0)
    assert [limit for _, limit in night.asked] == [15.0, 5.0]
    assert [one.state for one in outcome.measurements] == [
        MeasurementState.ENDED,
        MeasurementState.STOPPED,
        MeasurementState.NOT_STARTED,
    ]
    assert [one.exit_code for one in outcome.measurements] == [0, 75, 75]
    assert "its time of 5 s was over" in str(outcome.measurements[1].error)
    assert outcome.exit_code == 75


def test_one_that_ended_as_its_time_was_over_keeps_its_verdict(tmp_path: Path) -> None:
    def run(*_: Any, **__: Any) -> Ended:
        return Ended(returncode=1, printed="{}", was_stopped=True)

    suite = suite_of(tmp_path, {**NIGHTLY, "defaults": {"max_time_s": 1}})
    assert SuiteRun(suite=suite, folder=tmp_path, runner=run).run().exit_code == 1


def test_an_interrupted_suite_starts_nothing_more(tmp_path: Path) -> None:
    night = Night(codes=[0, KeyboardInterrupt()])
    outcome = night.outcome(tmp_path)
    assert [one.state for one in outcome.measurements] == [
        MeasurementState.ENDED,
        MeasurementState.STOPPED,
        MeasurementState.NOT_STARTED,
    ]
    assert [one.exit_code for one in outcome.measurements] == [0, 130, 130]
    assert outcome.exit_code == 130


def test_the_heartbeat_says_which_measurement_runs_and_how_far_it_is(tmp_path: Path) -> None:
    beats: list[Any] = []
    night = Night(codes=[0, 0, 0])
    run = SuiteRun(
        suite=suite_of(tmp_path), folder=tmp_path, runner=night.run, clock=night.clock, heartbeat=tmp_path / "h.json"
    )

    def during() -> None:
        (tmp_path / "h.measurement.json").write_text(json.dumps({"done": 3, "total": 8}))
        beats.append(run.counts())

    night.during = during
    run.run()
    of_measurement = {"done": 3, "total": 8}
    assert beats == [
        {"done": n, "total": 3, "measurement": name, "of_measurement": of_measurement}
        for n, name in enumerate(("today", "move", "screen"))
    ]
    assert run.counts() == {"done": 3, "total": 3, "measurement": None, "of_measurement": None}
    words, _ = night.asked[0]
    assert words[-2:] == ["--heartbeat", str(tmp_path / "h.measurement.json")]
    assert not (tmp_path / "h.measurement.json").exists()


def test_a_measurement_of_a_logged_suite_logs_beside_it(tmp_path: Path) -> None:
    night = Night(codes=[0, 0, 0])
    night.outcome(tmp_path, log=tmp_path / "night.log")
    assert all(words[-2:] == ["--log", str(tmp_path / "night.log")] for words, _ in night.asked)


def test_a_command_runs_in_the_suites_folder_and_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "30")  # of the suite's terminal: nothing that a measurement says is folded at it
    heard: list[str] = []
    suite_of(tmp_path)
    ended = run_command(["suite", "suite.yml", "--dry-run"], folder=tmp_path, limit_s=None, hear=heard.append)
    assert (ended.returncode, heard, ended.was_stopped) == (0, [], False)
    assert ended.printed.splitlines()[1:] == words_of(tmp_path)
    ended = run_command(["suite", "absent.yml"], folder=tmp_path, limit_s=600, hear=heard.append)
    assert (ended.returncode, ended.printed, ended.was_stopped) == (2, "", False)
    (said,) = heard
    assert said.startswith("bench: absent.yml: cannot be read")


@pytest.mark.skipif(sys.platform == "win32", reason="no groups of processes there")
@pytest.mark.parametrize("way", ["", "setsid "])
def test_what_holds_the_pipe_after_a_command_does_not_hold_the_suite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(commandprocess, "_STRAY_S", 0.1)
    child = f"{way}sleep 60 & echo $! > pid; echo said >&2; exit 3"
    monkeypatch.setattr(commandprocess, "module_words", lambda _: ("sh", "-c", child))
    heard: list[str] = []
    ended = run_command([], folder=tmp_path, limit_s=30, hear=heard.append)
    assert (ended.returncode, heard, ended.was_stopped) == (3, ["said"], False)
    stray = int((tmp_path / "pid").read_text())
    if way:
        os.kill(stray, signal.SIGKILL)  # it left the group, and still lived
    else:
        assert not is_running(stray)


def is_running(pid: int) -> bool:
    """Say whether a process still does something; one that was killed may wait for whoever adopted it."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_a_command_whose_time_is_over_is_ended(tmp_path: Path) -> None:
    ended = run_command(["simulate", "sim-h100", "--port", "0"], folder=tmp_path, limit_s=0.01, hear=lambda _: None)
    assert ended.was_stopped
    assert plain_exit_code(ended.returncode) in (75, 130, 0)


def invoke(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["suite", str(folder / "suite.yml"), *words])


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    suite_of(tmp_path)
    night = Night(codes=[0, 3, 1])
    monkeypatch.setattr(suiterunning, "run_command", night.run)
    return night


@pytest.mark.usefixtures("night")
def test_json_is_one_line_of_what_happened(tmp_path: Path) -> None:
    shown = invoke(tmp_path, "--json")
    assert shown.exit_code == 1
    (line,) = shown.stdout.splitlines()
    summary = json.loads(line)
    assert (summary["suite"], summary["exit_code"], summary["ledger"]) == ("nightly", 1, "history/ledger.jsonl")
    assert [
        (measurement["name"], measurement["kind"], measurement["verdict"]) for measurement in summary["measurements"]
    ] == [
        ("today", "run", "PASS"),
        ("move", "compare", "INCONCLUSIVE"),
        ("screen", "compare", "FAIL"),
    ]


def test_only_the_named_ones_run(night: Night, tmp_path: Path) -> None:
    assert invoke(tmp_path, "--only", "screen", "--only", "today").exit_code == 3
    assert [words[1] for words, _ in night.asked] == ["a.yml", "a.yml"]
    assert len(night.asked) == 2
    shown = invoke(tmp_path, "--only", "skreen")
    assert shown.exit_code == 2
    assert "no measurement 'skreen'. It has: today, move, screen" in shown.stderr


def test_the_sooner_limit_holds(night: Night, tmp_path: Path) -> None:
    write_yaml(tmp_path / "suite.yml", {**NIGHTLY, "max_time_s": 3600})
    invoke(tmp_path, "--max-time", "2h")
    invoke_first = night.asked[0][1]
    assert invoke_first == pytest.approx(3600)
    night.asked.clear()
    invoke(tmp_path, "--max-time", "90")
    assert night.asked[0][1] == pytest.approx(90)


def test_a_suite_does_not_run_twice_at_a_time(night: Night, tmp_path: Path) -> None:
    with one_at_a_time(tmp_path / "history" / "ledger.running.lock", "bench suite suite.yml"):
        shown = invoke(tmp_path, "--json")
        assert invoke(tmp_path, "--lock", str(tmp_path / "another")).exit_code == 1
    assert shown.exit_code == 75
    assert "is still running; nothing was sent" in shown.stderr
    assert len(night.asked) == 3  # of the one with another lock


def test_without_a_ledger_the_suite_file_is_what_is_locked(night: Night, tmp_path: Path) -> None:
    write_yaml(tmp_path / "suite.yml", {name: NIGHTLY[name] for name in ("name", "measurements")})
    with one_at_a_time(tmp_path / "suite.running.lock", "bench"):
        assert invoke(tmp_path).exit_code == 75
    assert night.asked == []


def test_a_person_reads_a_line_for_each(night: Night, tmp_path: Path) -> None:
    assert invoke(tmp_path).stdout.splitlines() == [
        "PASS: today  So it is.",
        "INCONCLUSIVE: move  So it is.",
        "FAIL: screen  So it is.",
        "1 of 3 measurements ended with 0; exit code 1",
    ]
    night.asked.clear()
    assert invoke(tmp_path, "--quiet").stdout == ""


@pytest.mark.usefixtures("night")
def test_markdown_is_written_and_appended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "steps.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "steps.md"))
    invoke(tmp_path, "--markdown", str(tmp_path / "s.md"), "--step-summary")
    written = (tmp_path / "s.md").read_text()
    assert "## \N{CROSS MARK} nightly: 1 of 3 measurements ended with 0" in written
    assert "| move | \N{BLACK QUESTION MARK ORNAMENT} INCONCLUSIVE | 3 | So it is. |  |" in written
    assert (tmp_path / "steps.md").read_text() == "before\n" + written


def test_markdown_shows_what_an_error_quotes_and_acts_on_nothing(tmp_path: Path) -> None:
    suite = suite_of(tmp_path)

    def run(*_: Any, hear: Callable[[str], None], **__: Any) -> Ended:
        hear("bench: <img src=x> | @someone [a](http://b)")
        return Ended(returncode=2, printed="")

    written = suite_markdown(SuiteRun(suite=suite, folder=tmp_path, runner=run).run())
    assert "\\<img src=x\\> \\| " in written
    assert "@someone" not in written
    assert "[a](" not in written


def test_a_dry_run_prints_what_would_run(tmp_path: Path) -> None:
    suite_of(tmp_path)
    shown = invoke(tmp_path, "--dry-run")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines() == [f"cd {tmp_path}", *words_of(tmp_path)]
    assert not (tmp_path / "history").exists()


def test_the_schema_of_the_file_is_printed() -> None:
    assert json.loads(CliRunner().invoke(main, ["schema", "suite"]).stdout) == suite_schema()


def test_a_wrong_file_names_the_command_that_prints_the_keys(tmp_path: Path) -> None:
    (tmp_path / "suite.yml").write_text(yaml.safe_dump({"name": "s", "measurements": "all"}))
    shown = invoke(tmp_path)
    assert shown.exit_code == 2
    assert "`bench schema suite`" in shown.stderr


def checked_words(folder: Path, **measurement: Any) -> str | None:
    suite = suite_of(folder, {**NIGHTLY, "measurements": [{"name": "m", **measurement}]})
    words = words_of_check(suite, suite.measurements[0], "20260101T0317-a-1a2b", folder=folder)
    if words is None:
        return None
    main.commands["regress"].make_context("regress", list(words[2:]))  # it is understood
    return " ".join(words)


def test_a_check_is_the_command_that_holds_this_run_against_the_baseline(tmp_path: Path) -> None:
    start = "bench regress --ledger history/ledger.jsonl --night 20260101T0317-a-1a2b --out results"
    assert checked_words(tmp_path, run="a.yml") is None
    assert checked_words(tmp_path, run="a.yml", regress="check") == start
    confirmed = checked_words(tmp_path, compare=["a.yml", "b.yml"], regress="confirm", load=[2])
    assert confirmed == f"{start} --confirm a.yml b.yml --repeats 5 --load 2 --max-cost 2.0"
    (tmp_path / "kept").mkdir()
    assert checked_words(tmp_path, compare=["kept", "b.yml"], regress="confirm") == start


def nights_with_checks(folder: Path, codes: Sequence[int], **more: Any) -> tuple[SuiteOutcome, list[list[str]]]:
    """Measure twice, a run on disk each time; the checks end with these codes."""
    asked: list[list[str]] = []
    left = list(codes)
    clock = ManualClock()

    def run(words: list[str], **_: Any) -> Ended:
        asked.append(words)
        clock.at_ns += 10 * NS_PER_S
        if words[0] == "regress":
            word = {0: "NOTHING", 1: "REGRESSION", 3: "SUSPICION"}.get(left[0])
            return Ended(
                returncode=left.pop(0), printed=json.dumps({"word": word, "sentence": "Slower."}) if word else ""
            )
        run_id = f"run-{len(asked)}"
        (folder / "results" / run_id).mkdir(parents=True)
        return Ended(returncode=0, printed=json.dumps({"sides": [{"run_id": run_id}]}))

    two = [{"name": "one", "run": "a.yml"}, {"name": "two", "run": "b.yml"}]
    suite = suite_of(folder, {**NIGHTLY, "defaults": {"regress": "check"}, "measurements": two})
    return SuiteRun(suite=suite, folder=folder, runner=run, clock=clock, **more).run(), asked


@pytest.mark.parametrize(("codes", "worst"), [([0, 0], 0), ([0, 3], 3), ([1, 0], 1), ([2, 3], 2), ([-9, 0], 75)])
def test_each_run_is_checked_and_the_checks_count(codes: list[int], worst: int, tmp_path: Path) -> None:
    outcome, asked = nights_with_checks(tmp_path, codes)
    assert outcome.exit_code == worst
    assert [words[0] for words in asked] == ["run", "regress", "run", "regress"]
    assert [words[words.index("--night") + 1] for words in asked[1::2]] == ["run-1", "run-3"]
    checks = [one.regression for one in outcome.measurements]
    assert [check.exit_code for check in checks if check] == [plain_exit_code(code) for code in codes]


def test_a_regression_stands_under_its_measurement(tmp_path: Path) -> None:
    outcome, _ = nights_with_checks(tmp_path, [1, 2])
    assert list(suite_lines(outcome)) == [
        "done: one  results/run-1",
        "REGRESSION: one  Slower.",
        "done: two  results/run-3",
        "not checked: two  ",
        "2 of 2 measurements ended with 0, 0 of 2 checks against the baseline; exit code 1",
    ]
    assert "| against the baseline | \N{CROSS MARK} REGRESSION | 1 | Slower. |  |" in suite_markdown(outcome)


def test_no_check_begins_when_the_time_is_over(tmp_path: Path) -> None:
    outcome, asked = nights_with_checks(tmp_path, [0], limit_s=25.0)
    assert [words[0] for words in asked] == ["run", "regress", "run"]
    left = outcome.measurements[1].regression
    assert left is not None
    assert (left.exit_code, left.error) == (75, "the suite's time of 25 s was over")
    assert outcome.exit_code == 75  # as a night without a regression it would be 0


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pipe that nobody reads")
def test_a_logged_command_at_a_closed_pipe_is_no_verdict(tmp_path: Path) -> None:
    suite_of(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    log = tmp_path / "n.log"
    command = [sys.executable, "-m", "harness", "suite", str(tmp_path / "suite.yml"), "--dry-run", "--log", str(log)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert done.returncode == 75
    assert log.read_text().endswith("ended with exit code 75\n")


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_a_suite_that_is_told_to_end_ends_in_order(night: Night, tmp_path: Path) -> None:
    night.during = lambda: os.kill(os.getpid(), signal.SIGTERM)
    shown = invoke(tmp_path, "--json")
    assert shown.exit_code == 130
    assert [measurement["state"] for measurement in json.loads(shown.stdout)["measurements"]] == [
        "stopped",
        "not started",
        "not started",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_a_measurement_ends_with_its_suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def interrupted(process: subprocess.Popen[bytes], _: object) -> None:
        started.append(process)
        raise KeyboardInterrupt

    monkeypatch.setattr(commandprocess, "_listen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_command(["simulate", "sim-h100", "--port", "0"], folder=tmp_path, limit_s=None, hear=lambda _: None)
    assert started[0].returncode is not None


@pytest.mark.skipif(sys.platform == "win32", reason="no such locks there")
def test_a_measurement_that_outlives_its_suite_keeps_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "lock"
    opened: list[BinaryIO] = []

    def outlived(*_: object) -> None:
        opened[0].close()  # as the system does for a suite that was killed
        with pytest.raises(IncompleteRunError, match="still running"), one_at_a_time(file, "the next night"):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(commandprocess, "_listen", outlived)
    words = ["simulate", "sim-h100", "--port", "0"]
    with one_at_a_time(file, "bench suite suite.yml") as lock:
        opened.append(lock)
        with pytest.raises(KeyboardInterrupt):
            run_command(words, folder=tmp_path, limit_s=None, hear=lambda _: None, keep=(lock.fileno(),))
    with one_at_a_time(file, "the next night"):
        pass
