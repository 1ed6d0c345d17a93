"""`bench show`: the list of a run's requests, one of them in full, its bytes."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from harness.cli import main
from harness.cli.redacting import redact_run
from harness.model.record import Arm
from harness.model.storage import load_run
from tests.cli.recordedrun import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("show") / "hand")


def show(run: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["show", str(run), *words])


def told(run: Path, *words: str) -> str:
    shown = show(run, *words)
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def as_json(run: Path, *words: str) -> Any:
    return json.loads(told(run, *words, "--json"))


def section(text: str, title: str) -> str:
    """Give the part under a title, up to the next one."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(title)) + 1
    end = next((place for place in range(start, len(lines)) if lines[place] and lines[place][0] != " "), len(lines))
    return "\n".join(lines[start:end]).rstrip()


def test_every_attempt_is_listed_with_what_came_of_it(run: Path) -> None:
    rows = as_json(run)["requests"]
    assert len(rows) == 15  # 2 sides of a warm-up and 2 prompts x 3 repeats, and a retry
    failed = next(row for row in rows if row["outcome"] == "server_error")
    assert (failed["request"], failed["attempt"], failed["ttft_s"], failed["checks"]) == (
        "candidate/invoice/r1",
        1,
        None,
        "",
    )
    retry = next(row for row in rows if row["attempt"] == 2)
    assert (retry["request"], retry["outcome"], retry["marks"]) == ("candidate/invoice/r1", "200", ["attempt 2"])
    text = told(run)
    assert "candidate/capital/r0  200           50.0 ms  110 ms" in text
    assert "15 requests" in text


def test_a_redacted_copy_says_why_it_shows_another_request(run: Path, tmp_path: Path) -> None:
    redact_run(run, tmp_path / "copy", hides_endpoints=False)
    sent = section(told(tmp_path / "copy", "reference/capital/r0"), "Request")
    assert "in a redacted copy, digests stand for the prompt's words" in sent
    assert "a file changed" not in sent


def test_a_side_alone_can_be_listed(run: Path) -> None:
    rows = as_json(run, "--side", "reference")["requests"]
    assert {row["request"].partition("/")[0] for row in rows} == {"reference"}


def test_failed_lists_failures_and_failed_checks(run: Path) -> None:
    rows = as_json(run, "--failed")["requests"]
    assert [row["request"] for row in rows] == ["candidate/capital/r0", "candidate/invoice/r1"]
    assert told(run, "--failed", "--side", "reference") == "no request failed or failed a check\n"


def test_slow_lists_the_slowest_first(run: Path) -> None:
    rows = as_json(run, "--slow")["requests"]
    assert [row["request"] for row in rows[:2]] == ["candidate/capital/r2", "candidate/invoice/r2"]
    assert rows[0]["e2e_s"] == pytest.approx(5.170)
    assert all(row["e2e_s"] is not None for row in rows)


def test_a_prompt_is_shown_in_full(run: Path) -> None:
    text = told(run, "capital")
    assert text.startswith("candidate/capital/r0, attempt 1, to candidate-end, in run hand\n")
    assert "composed again from the run folder; its digest is the recorded one" in text
    assert '"content": "Capital of Czechia?"' in section(text, "Request")
    assert "HTTP 200 X" in section(text, "Response")
    assert "TCP 2.00 ms" in section(text, "Connection")
    assert "to 192.0.2.1:443 from port 5000, TLSv1.3" in section(text, "Connection")
    assert "prompt 5, completion 2, total 7, cached not reported" in section(text, "Usage")
    assert "TTFT                          50.0 ms" in section(text, "Metrics")
    assert "undefined: no price book" in section(text, "Metrics")
    assert "FAILED contains: Prague: expected contains Prague" in section(text, "Checks")
    assert "create(stream=True): answer" in section(text, "OpenAI SDK")


def test_the_timeline_has_every_read_with_what_it_carried(run: Path) -> None:
    assert section(told(run, "capital", "--side", "reference"), "Timeline").splitlines() == [
        "          at        gap   bytes  carried",
        "       20.00                 84  response head: 200 X",
        '       50.00      30.00     151  "It is "',
        '       80.00      30.00     152  "Prague."',
        "      110.00      30.00     191  finish stop",
        "                                 usage 5 / 2 / 7",
        "                                 [DONE]",
    ]


def test_a_stall_is_marked_before_the_read_that_ended_it(run: Path) -> None:
    lines = section(told(run, "capital", "--repeat", "2"), "Timeline").splitlines()
    (place,) = [place for place, line in enumerate(lines) if "STALL" in line]
    assert lines[place - 1].endswith('148  "It "')
    assert lines[place].split() == ["5,030.00", "ms", "STALL:", "output", "stood", "still"]
    assert lines[place + 1].endswith('5,030.00     148  "is "')
    marked = [row["is_stall"] for row in as_json(run, "capital", "--repeat", "2")["timeline"]]
    assert marked == [False, False, True, False, False, False, False]


def test_no_credential_is_shown_and_none_is_needed(run: Path) -> None:
    for words in (["capital"], ["capital", "--json"]):
        text = told(run, *words)
        assert "canary" not in text.lower()
        assert "s3cret" not in text
    request = as_json(run, "capital")["sent"]
    assert request["url"] == "https://a.example/v1/chat/completions?api-version=1&sig=***"
    assert ["authorization", "***"] in [[name.lower(), value] for name, value in request["headers"]]


def test_what_would_act_in_a_terminal_is_made_visible(run: Path) -> None:
    text = told(run, "capital")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "␛[31mred␛[0m⟨U+202E⟩gnp" in section(text, "Answer")


def test_a_request_is_found_by_its_name_in_the_list(run: Path) -> None:
    text = told(run, "reference/capital/w0")
    assert text.startswith("reference/capital/w0, attempt 1")
    assert "  warm-up\n" in text


def test_an_attempt_is_chosen_and_a_failure_says_why(run: Path) -> None:
    assert "failed: server_error: =no" in section(told(run, "invoice", "--repeat", "1"), "Response")
    retry = told(run, "invoice", "--repeat", "1", "--attempt", "2")
    assert "its digest is not the recorded one" in section(retry, "Request")
    assert as_json(run, "invoice", "--repeat", "1", "--attempt", "2")["metrics"] == {}


def test_raw_writes_the_bytes_as_recorded(run: Path) -> None:
    stored = load_run(run)
    wanted = next(one for one in stored.attempts if one.key.id == "candidate/capital/r0")
    assert show(run, "capital", "--raw").stdout_bytes == stored.wire(wanted)


def test_the_json_form_has_every_part(run: Path) -> None:
    shown = as_json(run, "invoice")
    assert shown["answer"]["text"] == '{"total": "12"}'
    assert shown["came"]["status"] == 200
    assert [read["n_bytes"] for read in shown["timeline"]] == [84, 157, 152, 191]
    assert [(check["check"], check["passed"]) for check in shown["checks"]] == [("json-valid", True)]
    assert shown["sdk"]["stream()"]["outcome"] == "answer"


def test_a_run_of_one_side_shows_that_side(tmp_path: Path) -> None:
    alone = write_run(tmp_path / "alone", [Arm.REFERENCE])
    assert told(alone, "capital").startswith("reference/capital/r0")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["capitol"], "no request of prompt 'capitol' is recorded. Did you mean capital?"),
        (["xyz"], "bench show without a prompt lists them"),
        (["capital", "--repeat", "9"], "the candidate side has no repeat 9 of 'capital'. Recorded: repeats 0 to 2"),
        (["capital", "--attempt", "2"], "there is no attempt 2 of candidate/capital/r0. Recorded: attempt 1"),
        (["capital", "--side", "placebo"], "the run has no placebo side. It has: reference, candidate"),
        (["--side", "placebo"], "the run has no placebo side. It has: reference, candidate"),
        (["reference/capital/r0", "--side", "candidate"], "Leave --side out: the name says it"),
        (["--raw"], "--raw is of one request. Name a prompt"),
        (["--repeat", "0"], "--repeat is of one request"),
        (["capital", "--failed"], "--failed is of a list of requests. Leave the prompt out"),
        (["capital", "--slow"], "--slow is of a list of requests"),
        (["capital", "--raw", "--json"], "--raw and --json exclude each other"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(run: Path, words: list[str], message: str) -> None:
    shown = show(run, *words)
    assert shown.exit_code == 2
    assert message in " ".join(shown.stderr.split())
    assert shown.stdout == ""


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    shown = show(tmp_path)
    assert shown.exit_code == 2
    assert "not a run folder" in shown.stderr
