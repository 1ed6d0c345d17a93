"""Each fault gives the failure and the findings of its row, and each kind there is comes from some row."""

import asyncio

import pytest
import trustme

from harness.model.record import FailureKind, FindingKind, Record, RunStatus
from harness.simulator.faults.table import FAULTS
from tests.faults.matrix import IN_RUN, MATRIX, PLAYED, ROWS, SEEN_IN, Row
from tests.faults.page import PAGE, page
from tests.faults.scenes import SCENES, Stage
from tests.faults.weather import KEY, OF_TOOLS, TEXT, Weather, weather_of

# Cut by the client or by its limits, so that not all that was sent was read.
NOT_READ_WHOLE = {"huge_head", "length_short", "length_not_number", "reset_mid_stream", "reset_after_head"}
WITHOUT_END = {"comments_for_ever", "half_then_comments", "half_then_empty_deltas", "speaks_for_ever"}
OTHER_TEXT = {"invalid_utf8", "leaked_markup"}
WITH_ANSWER = sorted(n for n in IN_RUN if ROWS[n].failure is None and n not in OF_TOOLS | OTHER_TEXT)
PARTLY_SAID = sorted(
    name
    for name in IN_RUN
    if name.startswith(("cut_mid", "cut_between", "half_then", "error_in", "error_f", "error_e", "error_of"))
    or name in {"stall", "reset_mid_stream", "ends_early", "unframed_cut", "length_long", "gzip_damaged"}
)


@pytest.fixture(scope="module")
def weather(tmp_path_factory: pytest.TempPathFactory) -> Weather:
    return weather_of(tmp_path_factory.mktemp("weather"), IN_RUN)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return Stage(folder=tmp_path_factory.mktemp("stage"), ca=trustme.CA())


def assert_as_in(row: Row, record: Record) -> None:
    """The failure, what it says, and exactly these findings."""
    assert (record.failure.kind if record.failure else None) is row.failure, record.failure
    assert row.says in (record.failure.message if record.failure else "")
    assert {finding.kind for finding in record.findings} == row.findings


@pytest.mark.parametrize("name", IN_RUN)
def test_a_fault_gives_what_its_row_says(weather: Weather, name: str) -> None:
    assert_as_in(ROWS[name], weather.records[name])


@pytest.mark.parametrize("name", PLAYED)
def test_a_scene_gives_what_its_row_says(stage: Stage, name: str) -> None:
    assert_as_in(ROWS[name], asyncio.run(asyncio.wait_for(SCENES[name](stage), 30)))


def test_every_fault_and_every_scene_has_one_row() -> None:
    assert len(ROWS) == len(MATRIX)
    assert set(FAULTS) <= set(ROWS)
    assert set(PLAYED) == set(SCENES)
    assert set(IN_RUN) <= set(FAULTS)
    assert all(bool(row.effect) == (row.name not in FAULTS) or row.name in SCENES for row in MATRIX)


def test_every_kind_of_failure_comes_from_some_row() -> None:
    assert {row.failure for row in MATRIX} - {None} == set(FailureKind)


def test_every_kind_of_finding_comes_from_some_row() -> None:
    assert {kind for row in MATRIX for kind in row.findings} == set(FindingKind)


def test_a_row_that_gives_nothing_says_where_it_shows() -> None:
    assert {row.name for row in MATRIX if row.failure is None and not row.findings} == set(SEEN_IN)


def test_the_run_goes_to_its_end_with_one_record_for_each_request(weather: Weather) -> None:
    assert weather.status is RunStatus.FINISHED
    assert set(weather.truth) == set(weather.records) == set(IN_RUN)
    assert weather.n_records == len(IN_RUN)


@pytest.mark.parametrize("name", sorted(set(IN_RUN) - WITHOUT_END))
def test_every_byte_that_was_sent_is_on_the_record(weather: Weather, name: str) -> None:
    recorded, sent = sum(weather.records[name].reads.n_bytes), sum(weather.truth[name].n_bytes)
    if name in NOT_READ_WHOLE:
        assert 0 < recorded <= sent
    else:
        assert recorded == sent


@pytest.mark.parametrize("name", WITH_ANSWER)
def test_an_answer_that_did_not_fail_is_whole(weather: Weather, name: str) -> None:
    said = weather.truth[name].said
    assert said is not None
    assert weather.records[name].answer.text == said.text == TEXT


@pytest.mark.parametrize("name", PARTLY_SAID)
def test_what_was_said_before_a_failure_is_kept(weather: Weather, name: str) -> None:
    text = weather.records[name].answer.text
    assert 0 < len(text) < len(TEXT)
    assert TEXT.startswith(text)


def test_the_page_names_every_kind_of_failure(weather: Weather) -> None:
    kinds = {ROWS[name].failure for name in IN_RUN} - {None}
    page = weather.page.replace("_", " ")
    assert {kind for kind in kinds if kind is not None and kind.replace("_", " ") not in page} == set()


def test_the_page_is_the_matrix() -> None:
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_key_that_every_response_repeats_stands_in_no_file_and_no_output(weather: Weather) -> None:
    assert weather.key_was_printed == 2, "once in each of the two runs"
    failed = weather.records["http_500"].failure
    assert failed is not None
    assert failed.message.startswith("Bearer ***"), "it was repeated, and struck out"
    files = [file for file in weather.folder.rglob("*") if file.is_file()]
    assert {"run.json", "attempts.jsonl", "streams.bin", "records.jsonl"} <= {file.name for file in files}
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []
    assert KEY not in weather.output
