import re
from pathlib import Path

import harness.model.record
from harness.model.record import FailureKind, FindingKind

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "streams.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<number>\d+) \| .* \| (?P<findings>[^|]*)\|$", re.MULTILINE)
UNNUMBERED_ROW = re.compile(r"^\| `(?P<name>\w+)` \| [^|]+ \|$", re.MULTILINE)
NAME = re.compile(r"`(\w+)`")
KIND = re.compile(r'^    [A-Z\d_]+ = "(?P<name>\w+)"(?:  # (?P<number>\d+))?', re.MULTILINE)


def numbers_in_code() -> dict[str, int | None]:
    """Each kind of finding with the number in its comment."""
    source = Path(harness.model.record.__file__).read_text(encoding="utf-8")
    body = source.partition("class FindingKind(StrEnum):")[2].partition("@dataclass")[0]
    return {found["name"]: int(found["number"]) if found["number"] else None for found in KIND.finditer(body)}


def numbers_on_page() -> dict[str, int]:
    return {name: int(row["number"]) for row in ROW.finditer(PAGE) for name in NAME.findall(row["findings"])}


def test_the_comments_are_read_whole() -> None:
    assert set(numbers_in_code()) == set(FindingKind)
    assert sum(number is not None for number in numbers_in_code().values()) >= 20


def test_every_numbered_finding_stands_in_the_row_of_its_number() -> None:
    assert numbers_on_page() == {name: number for name, number in numbers_in_code().items() if number is not None}


def test_every_other_finding_is_explained_without_a_number() -> None:
    section = PAGE.partition("### Without a number")[2].partition("\n## ")[0]
    explained = {row["name"] for row in UNNUMBERED_ROW.finditer(section)}
    assert explained == {name for name, number in numbers_in_code().items() if number is None}


def test_the_deviations_are_numbered_without_a_gap() -> None:
    assert [int(row["number"]) for row in ROW.finditer(PAGE)] == list(range(1, 32))


def test_every_kind_of_failure_has_its_row() -> None:
    section = PAGE.partition("## How a request fails")[2].partition("\n## ")[0]
    firsts = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = [name for first in firsts for name in NAME.findall(first)]
    assert sorted(named) == sorted(FailureKind)
