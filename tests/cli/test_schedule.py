"""`bench schedule`: what it prints is run here as cron, systemd and a workflow would run it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.scheduling import program
from harness.report.schedules import systemd_word
from tests.cli.files import endpoint_file, exact_repeats, golden_file, write_yaml
from tests.cli.simulated import Bench

KEY = "BENCH_SCHEDULE_TEST_KEY"
ODD = "it's 5% of $HOME"  # a name that each format has its own way to break
SUITE = f"{ODD}.yml"
MEASUREMENTS = [{"name": "today", "run": "a.yml"}]
LEDGER_FILES = ("history/ledger.jsonl", "history/baseline.json")
WITH = {"golden": "golden.yml", "settings": "exact.yml", "repeats": 1}
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs sh")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Bench(folder=tmp_path_factory.mktemp("served")).serving("a") as simulator:
        yield simulator.base_url


def prepared(folder: Path, base_url: str = "http://127.0.0.1:9/v1", **suite: Any) -> Path:
    """Write what a scheduled run needs into a folder; give the folder."""
    folder.mkdir(parents=True)
    endpoint_file(folder, "a", base_url, api_key=f"${{{KEY}}}", headers={"X-Team": "${BENCH_TEST_TEAM}"})
    golden_file(folder)
    exact_repeats(folder)
    content = {"name": "nightly", "ledger": "history/ledger.jsonl", "defaults": WITH, "measurements": MEASUREMENTS}
    write_yaml(folder / SUITE, {**content, **suite})
    keys_file(folder, f"{KEY}=value\nBENCH_TEST_TEAM=ours\n")
    return folder


def keys_file(folder: Path, content: str, mode: int = 0o600) -> Path:
    file = folder / "keys.env"
    file.write_text(content)
    file.chmod(mode)
    return file


def schedule(folder: Path, *words: str) -> Result:
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(main, ["schedule", *words])
    finally:
        os.chdir(before)


def printed(folder: Path, *words: str) -> str:
    shown = schedule(folder, *words)
    assert shown.exit_code == 0, shown.stderr
    return shown.stdout


def bare_environment(folder: Path) -> dict[str, str]:
    """What cron gives a command: hardly anything."""
    return {"HOME": str(folder), "PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "LOGNAME": "nobody"}


def ran(command: list[str], folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def ledger_lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "history" / "ledger.jsonl").read_text().splitlines()]


def test_the_cron_line_measures_enters_the_ledger_and_leaves_log_heartbeat_and_summary(
    base_url: str, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / ODD, base_url)
    *remarks, line = printed(folder, "cron", SUITE, "--keys", "keys.env", "--at", "4:05").splitlines()
    assert all(remark.startswith("#") for remark in remarks)
    assert f"({KEY}, BENCH_TEST_TEAM)" in remarks[1]
    fields = line.split(" ", 5)
    assert fields[:5] == ["5", "4", "*", "*", "*"]
    assert "%" not in fields[5].replace("\\%", "")
    command = fields[5].replace("\\%", "%")  # as cron reads it
    done = ran(["/bin/sh", "-c", command], Path("/"), bare_environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (summary,) = (folder / "logs" / "bench-nightly.jsonl").read_text().splitlines()
    (measurement,) = json.loads(summary)["measurements"]
    assert (measurement["name"], measurement["exit_code"], measurement["error"]) == ("today", 0, None)
    assert (folder / measurement["run"] / "run.json").is_file()
    assert (folder / measurement["report"]).is_file()
    assert [entry["run_id"] for entry in ledger_lines(folder)] == [Path(measurement["run"]).name]
    heartbeat = json.loads((folder / "logs" / "bench-nightly.heartbeat.json").read_text())
    assert (heartbeat["state"], heartbeat["exit_code"], heartbeat["done"], heartbeat["total"]) == ("ended", 0, 1, 1)
    log = (folder / "logs" / "bench-nightly.log").read_text()
    assert "a 3/3" in log  # the measurement's own progress: two warm-ups and a request
    assert log.endswith("ended with exit code 0\n")


def test_a_cron_line_whose_folder_is_gone_fails_loudly(tmp_path: Path) -> None:
    folder = prepared(tmp_path / ODD)
    command = printed(folder, "cron", SUITE).splitlines()[-1].split(" ", 5)[5].replace("\\%", "%")
    shutil.rmtree(folder)
    done = ran(["/bin/sh", "-c", command], Path("/"), bare_environment(tmp_path))
    assert done.returncode != 0
    assert "cd" in done.stderr


def unit(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line[:1] not in ("#", "[", "")]
    return dict(line.split("=", 1) for line in lines)


def as_systemd_reads(text: str) -> str:
    return text.replace("%%", "%")


def test_the_unit_runs_the_command_in_its_folder_with_its_keys(base_url: str, tmp_path: Path) -> None:
    folder = prepared(tmp_path / ODD, base_url)
    words = ["run", "a.yml", "--golden", "golden.yml", "--settings", "exact.yml", "--repeats", "1"]
    printed(folder, "systemd", *words, "--reports", ODD, "--keys", "keys.env", "--into", "units", "--day", "sun")
    service, timer = (unit(folder / "units" / f"bench-run-a.{kind}") for kind in ("service", "timer"))
    assert timer["OnCalendar"] == "Sun *-*-* 03:17:00"
    working_folder = as_systemd_reads(service["WorkingDirectory"])
    assert working_folder == str(folder)
    keys = Path(as_systemd_reads(service["EnvironmentFile"])).read_text().splitlines()
    command = shlex.split(as_systemd_reads(service["ExecStart"]).replace("$$", "$"))
    environment = {**bare_environment(tmp_path), **dict(line.split("=", 1) for line in keys)}
    done = ran(command, Path(working_folder), environment)
    assert (done.returncode, done.stderr) == (0, "")
    summary = json.loads(done.stdout)
    (entry,) = ledger_lines(folder)
    assert entry["run_id"] == summary["sides"][0]["run_id"]
    assert (folder / ODD / f"{entry['run_id']}.html").is_file()
    heartbeat = json.loads((folder / "logs" / "bench-run-a.heartbeat.json").read_text())
    assert (heartbeat["exit_code"], heartbeat["done"], heartbeat["sides"]) == (0, 3, {"reference": 3})
    assert json.loads((folder / "history" / "ledger.running.lock").read_text())["command"] == "bench run a.yml"


def verified(*files: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True, check=False)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    folder = prepared(tmp_path / ODD, max_time_s=7200)
    printed(folder, "systemd", SUITE, "--keys", "keys.env", "--into", "units", "--day", "mon", "--day", "fri")
    broken = tmp_path / "broken.service"
    broken.write_text("[Service]\nExecStart=/nowhere/bench\n")
    said = verified(broken)
    if "Failed to" in said.stderr:
        pytest.skip(f"systemd-analyze verify does not run here: {said.stderr.splitlines()[0]}")
    assert "/nowhere/bench" in said.stderr  # it can find a fault
    found = verified(folder / "units" / "bench-nightly.service", folder / "units" / "bench-nightly.timer")
    assert (found.returncode, [line for line in found.stderr.splitlines() if "bench-nightly" in line]) == (0, [])
    service = unit(folder / "units" / "bench-nightly.service")
    assert service["TimeoutStartSec"] == "7800"  # bench ends itself before


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("a.yml", "a.yml"),
        ("--at=5", "--at=5"),
        ("a b", '"a b"'),
        ("5%", '"5%%"'),
        ("$HOME", '"$$HOME"'),
        ('say "so"', '"say \\"so\\""'),
        ("back\\slash", '"back\\\\slash"'),
        ("it's", '"it\'s"'),
        ("", '""'),
        (";", '";"'),
    ],
)
def test_a_word_of_a_unit_stays_one_word(word: str, quoted: str) -> None:
    assert systemd_word(word) == quoted
    assert shlex.split(quoted.replace("%%", "%").replace("$$", "$")) == [word]


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    done = subprocess.run(["git", *who, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_steps(
    workflow: Path, root: Path, secrets: dict[str, str], between: Any = lambda: None, *, without: str = ""
) -> list[str]:
    """Run the steps of a workflow that run something, as a runner does; give their names."""
    loaded = yaml.load(workflow.read_text(), yaml.BaseLoader)  # noqa: S506  # texts only: `on` stays a word
    folder = root / loaded.get("defaults", {}).get("run", {}).get("working-directory", "")
    tools = root.parent / "tools"
    tools.mkdir(exist_ok=True)
    (tools / "pip").write_text("#!/bin/sh\nexit 0\n")
    (tools / "pip").chmod(0o755)
    path = os.pathsep.join([str(tools), str(Path(program()[0]).parent), os.environ["PATH"]])
    names = []
    for step in loaded["jobs"]["bench"]["steps"]:
        if "run" not in step or step["name"] == without:
            continue
        given = {name: secrets[value.split("secrets.")[1].split()[0]] for name, value in step.get("env", {}).items()}
        at_work = {"GITHUB_STEP_SUMMARY": str(root.parent / "summary.md"), "GITHUB_WORKSPACE": str(root)}
        environment = {**os.environ, "PATH": path, **at_work, **given}
        done = ran(["bash", "-e", "-c", step["run"]], folder, environment)
        assert done.returncode == 0, (step["name"], done.stdout, done.stderr)
        names.append(step["name"])
        between()
    return names


def committed_clone(tmp_path: Path, base_url: str, *more: str) -> Path:
    """Give a clone whose origin has what a scheduled run needs, its workflow and an empty ledger."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "origin.git")
    git(tmp_path, "clone", "--quiet", "origin.git", "clone")
    folder = prepared(tmp_path / "clone" / ODD, base_url)
    (tmp_path / "clone" / ".gitignore").write_text("results/\nreports/\n*.env\n*.lock\n")
    (folder / "history").mkdir()
    (folder / "history" / "ledger.jsonl").write_text("")
    (folder / "history" / "other.lock").write_text("")
    words = ["run", "a.yml", "--golden", "golden.yml", "--settings", "exact.yml", "--repeats", "1", "--name", "night"]
    words += more
    printed(folder, "github", *words, "--commit", "--install", "pip install x", "--into", "../.github/workflows")
    git(tmp_path / "clone", "add", ".")
    git(tmp_path / "clone", "commit", "--quiet", "--message", "first")
    git(tmp_path / "clone", "push", "--quiet", "origin", "HEAD:main")
    return tmp_path / "clone"


def test_the_workflow_measures_and_commits_beside_what_another_run_pushed(base_url: str, tmp_path: Path) -> None:
    clone = committed_clone(tmp_path, base_url)
    git(tmp_path, "clone", "--quiet", "origin.git", "other")
    pushed: list[None] = []

    def push_another() -> None:
        if not pushed:
            pushed.append(None)
            (tmp_path / "other" / ODD / "history" / "ledger.jsonl").write_text('{"run_id": "another"}\n')
            git(tmp_path / "other", "commit", "--quiet", "--all", "--message", "another run")
            git(tmp_path / "other", "push", "--quiet")

    secrets = {KEY: "value", "BENCH_TEST_TEAM": "ours"}
    names = run_steps(clone / ".github" / "workflows" / "night.yml", clone, secrets, push_another)
    assert names == ["Install", "Measure", "Commit ledger and reports"]
    git(tmp_path, "clone", "--quiet", "origin.git", "later")
    later = tmp_path / "later" / ODD
    entries = ledger_lines(later)
    assert len(entries) == 2
    (own,) = (entry["run_id"] for entry in entries if entry["run_id"] != "another")
    assert (later / "reports" / f"{own}.html").is_file()
    assert not list(later.glob("**/*.lock"))
    assert not (later / "keys.env").exists()
    assert (tmp_path / "summary.md").read_text().strip()


def workflow_of(folder: Path, *words: str) -> Any:
    return yaml.load(printed(folder, "github", *words), yaml.BaseLoader)  # noqa: S506  # texts only


def test_a_workflow_keeps_the_ledger_between_runs_and_all_as_artefacts(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "repository", max_time_s=3600)
    found = workflow_of(folder, SUITE, "--day", "sun", "--day", "wed", "--at", "23:00")
    assert found["on"]["schedule"] == [{"cron": "0 23 * * 3,0"}]
    assert found["permissions"] == {"contents": "read"}
    assert found["jobs"]["bench"]["timeout-minutes"] == "75"
    steps = found["jobs"]["bench"]["steps"]
    by_use = {step["uses"].partition("@")[0]: step.get("with", {}) for step in steps if "uses" in step}
    restored, saved = by_use["actions/cache/restore"], by_use["actions/cache/save"]
    assert (
        (restored["path"], restored["key"])
        == (saved["path"], saved["key"])
        == (
            "history/ledger.jsonl",
            restored["key"],
        )
    )
    assert restored["key"].startswith(restored["restore-keys"])
    assert "run_id" in saved["key"]  # a cache is never replaced: each run has its own
    assert by_use["actions/upload-artifact"]["path"].split() == [*LEDGER_FILES, "reports", "results"]
    measure = next(step for step in steps if step.get("name") == "Measure")
    assert shlex.split(measure["run"]) == ["bench", "suite", SUITE, "--step-summary"]
    assert measure["env"] == {name: f"${{{{ secrets.{name} }}}}" for name in (KEY, "BENCH_TEST_TEAM")}


def test_folders_of_a_workflow_are_those_from_the_repositorys_root(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    found = workflow_of(prepared(tmp_path / "below" / "here"), SUITE)
    assert found["defaults"]["run"]["working-directory"] == "below/here"
    steps = found["jobs"]["bench"]["steps"]
    assert steps[-1]["with"]["path"].split() == [f"below/here/{name}" for name in (*LEDGER_FILES, "reports", "results")]


def test_no_schedule_takes_up_the_ledger_of_another(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    keys = {}
    for name in ("bench-nightly", "bench-nightly-eu", "bench-nightly.2"):
        steps = workflow_of(folder, SUITE, "--name", name)["jobs"]["bench"]["steps"]
        (restored,) = (step["with"] for step in steps if step.get("uses", "").startswith("actions/cache/restore"))
        keys[name] = (restored["restore-keys"], restored["key"])
    for name, (begin, _) in keys.items():
        assert [other for other, (_, key) in keys.items() if key.startswith(begin)] == [name]


def test_a_ledger_beside_everything_takes_nothing_else_along(tmp_path: Path) -> None:
    clone = committed_clone(tmp_path, "http://127.0.0.1:9/v1", "--ledger", "ledger.jsonl")
    folder = clone / ODD
    for name in ("drafts/prompt.txt", "results/r/streams.bin", "reports/r.html", "ledger.jsonl", ".gitattributes"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("as a measurement leaves it\n")
    run_steps(clone / ".github" / "workflows" / "night.yml", clone, {}, without="Measure")
    named = git(clone, "-c", "core.quotePath=false", "show", "--name-only", "--format=", "HEAD").splitlines()
    changed = {Path(name).relative_to(ODD).parts[0] for name in named}
    assert changed == {".gitattributes", "ledger.jsonl", "reports"}
    steps = workflow_of(folder, "run", "a.yml", "--ledger", "ledger.jsonl")["jobs"]["bench"]["steps"]
    paths = [step["with"]["path"] for step in steps if "path" in step.get("with", {}) and "uses" in step]
    assert [f"{ODD}/ledger.jsonl" in path.split("\n") for path in paths if path != ".bench"] == [True] * 3
    assert f"hashFiles('{ODD.replace(chr(39), chr(39) * 2)}/ledger.jsonl')" in next(
        step["if"] for step in steps if "cache/save" in step.get("uses", "")
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--reports", "."], "the reports would lie beside what is measured"),
        (["--out", ".."], "the results would lie beside what is measured"),
        (["--reports", "x", "--out", "x/results", "--commit"], "prompts and answers would be committed"),
        (["--ledger", "/elsewhere/l.jsonl", "--commit"], "is not in the repository"),
        (["--reports", "${{ github.token }}"], "reads as an expression"),
    ],
)
def test_a_workflow_takes_no_folder_along_that_holds_other_things(words: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    schedule_words = [word for word in words if word != "--commit"]
    shown = schedule(
        prepared(tmp_path / "below" / "here"),
        "github",
        *(["--commit"] if "--commit" in words else []),
        "run",
        "a.yml",
        *schedule_words,
    )
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert said in " ".join(shown.stderr.split())


@pytest.mark.parametrize("key", ["sk-a$b;c d", "$(touch pwned)", "`touch pwned`", "a&b|c>d", "#x", "50%"])
def test_a_key_arrives_as_it_stands_in_the_file(key: str, tmp_path: Path) -> None:
    """Cron's shell reads the file; nothing in it is a command."""
    folder = prepared(tmp_path / "here")
    keys_file(folder, f"# ours\n\n{KEY}={key}\nBENCH_TEST_TEAM=last without an end")
    line = printed(folder, "cron", SUITE, "--keys", "keys.env").splitlines()[-1].split(" ", 5)[5].replace("\\%", "%")
    before, _, _ = line.partition(" && mkdir")
    script = f'{before} && printf \'%s|%s\' "${KEY}" "$BENCH_TEST_TEAM"'
    done = ran(["/bin/sh", "-c", script], Path("/"), bare_environment(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{key}|last without an end", "")
    assert not (folder / "pwned").exists()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        (None, 0o600, "cannot be read: No such file"),
        (f"{KEY}=v", 0o640, "others may use it (mode 640). chmod 600"),
        (f"BENCH_TEST_TEAM=ours\nexport {KEY}=sk-canary", 0o600, "keys.env:2: is no NAME=value"),
        (f"{KEY}='sk-canary'", 0o600, "keys.env:1: is no NAME=value"),
        (f"{KEY}=sk-canary\\", 0o600, "keys.env:1: is no NAME=value"),
        (f"{KEY}=sk-canary ", 0o600, "keys.env:1: is no NAME=value"),
        (f"{KEY}= sk-canary", 0o600, "keys.env:1: is no NAME=value"),
        (f"{KEY}=sk-canary\r", 0o600, "keys.env:1: is no NAME=value"),
        ("sk-canary", 0o600, "keys.env:1: is no NAME=value"),
    ],
)
def test_keys_that_would_not_arrive_are_refused_and_never_said(
    content: str | None, mode: int, said: str, tmp_path: Path
) -> None:
    folder = prepared(tmp_path / "here")
    (folder / "keys.env").unlink()
    if content is not None:
        keys_file(folder, content, mode)
    for kind in ("cron", "systemd"):
        shown = schedule(folder, kind, SUITE, "--keys", "keys.env")
        assert (shown.exit_code, shown.stdout) == (2, "")
        assert said in " ".join(shown.stderr.split())
        assert "canary" not in shown.stderr


def test_a_key_that_the_file_lacks_is_warned_of(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    keys_file(folder, f"{KEY}=\n")
    assert "has no BENCH_TEST_TEAM, which" in schedule(folder, "cron", SUITE, "--keys", "keys.env").stderr


INJECTED = "x\n* * * * * touch pwned #"


@pytest.mark.parametrize(
    ("key", "sign"), [("ledger", "\n"), ("results", "\n"), ("reports", "\n"), ("reports", "\x7f"), ("ledger", "\u2028")]
)
def test_no_word_of_a_suite_begins_a_line_of_its_own(key: str, sign: str, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here", **{key: INJECTED.replace("\n", sign)})
    for kind in ("cron", "systemd", "github"):
        shown = schedule(folder, kind, SUITE)
        assert (shown.exit_code, shown.stdout, "control character" in shown.stderr) == (2, "", True), kind


def test_no_file_of_keys_begins_a_line_of_its_own(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    for kind in ("cron", "systemd"):
        shown = schedule(folder, kind, SUITE, "--keys", INJECTED)
        assert (shown.exit_code, shown.stdout, "control character" in shown.stderr) == (2, "", True)


def test_a_backslash_is_for_cron_and_systemd_to_act_on(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    for kind in ("cron", "systemd"):
        shown = schedule(folder, kind, "run", "a.yml", "--reports", "a\\%b")
        assert (shown.exit_code, shown.stdout, "backslash" in shown.stderr) == (2, "", True)
    assert workflow_of(folder, "run", "a.yml", "--reports", "a\\b")


def test_what_was_asked_for_is_not_asked_again(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    given = ["--json", "--log", "l", "--heartbeat", "h", "--lock", "k", "--ledger", "x.jsonl"]
    line = printed(folder, "cron", "run", "a.yml", *given).splitlines()[-1]
    words = shlex.split(line.partition("exec ")[2].partition(" >>")[0])
    assert words[len(program()) :] == ["run", "a.yml", *given]


def test_a_run_without_a_ledger_gets_one_and_a_suite_is_warned(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    assert " --ledger history/ledger.jsonl " in printed(folder, "cron", "compare", "a.yml", "a.yml")
    write_yaml(folder / "bare.yml", {"name": "bare", "measurements": MEASUREMENTS})
    assert "bare.yml has no ledger" in schedule(folder, "cron", "bare.yml").stderr


@pytest.mark.parametrize("kind", ["cron", "systemd"])
def test_keys_that_will_not_be_there_are_warned_of(kind: str, tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    assert f"take keys from {KEY}, BENCH_TEST_TEAM, which {kind} does not have" in schedule(folder, kind, SUITE).stderr
    assert "take keys" not in schedule(folder, kind, SUITE, "--keys", "keys.env").stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cron", "absent.yml"], "absent.yml: cannot be read"),
        (["cron", "run", "absent.yml"], "absent.yml: cannot be read"),
        (["cron", "compare", "a.yml"], "Missing argument 'CANDIDATE'"),
        (["cron", "run", "a.yml", "--repets", "3"], "No such option"),
        (["cron", SUITE, "--at", "24:00"], "'24:00' is no time of a day"),
        (["cron", SUITE, "--at", "noon"], "'noon' is no time of a day"),
        (["cron", SUITE, "--name", "../x"], "is no name"),
        (["cron", "run", "a.yml", "--reports", "a\nb"], "control character"),
        (["github", SUITE, "--keys", "keys.env"], "--keys would have no effect for github"),
        (["cron", SUITE, "--commit", "--install", "x"], "--commit and --install would have no effect for cron"),
        (["monthly", SUITE], "'monthly' is not one of"),
    ],
)
def test_what_could_not_run_is_refused(words: list[str], said: str, tmp_path: Path) -> None:
    shown = schedule(prepared(tmp_path / "here"), *words)
    assert shown.exit_code == 2
    assert said in shown.stderr
    assert shown.stdout == ""


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    folder = prepared(tmp_path / "here")
    words = ["cron", SUITE, "--into", "here"]
    assert printed(folder, *words) == printed(folder, *words) == "here/bench-nightly.cron\n"
    assert schedule(folder, *words, "--at", "05:00").exit_code == 2
    assert "17 3 * * *" in (folder / "here" / "bench-nightly.cron").read_text()
    printed(folder, *words, "--at", "05:00", "--force")
    assert "0 5 * * *" in (folder / "here" / "bench-nightly.cron").read_text()
