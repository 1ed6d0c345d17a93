"""The page about the simulator says what the tables and types say."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from harness.model.shipped import shipped_profile_names
from harness.simulator.degradations import DEGRADATIONS, Degradation
from harness.simulator.faults.kind import Fault
from harness.simulator.faults.table import FAULTS
from harness.simulator.profile import Profile
from harness.simulator.profilefile import load_profile
from harness.simulator.truth import TruthLine

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rows(title: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `([a-z0-9_-]+)` \| (.+) \|$", section(title), re.MULTILINE))


@pytest.mark.parametrize(("title", "table"), [("Faults", FAULTS), ("Degradations", DEGRADATIONS)])
def test_the_page_lists_every_entry_with_its_effect(title: str, table: Mapping[str, Fault | Degradation]) -> None:
    assert rows(title) == {name: entry.effect for name, entry in table.items()}


def test_every_effect_is_one_sentence() -> None:
    effects = [fault.effect for fault in FAULTS.values()] + [worse.effect for worse in DEGRADATIONS.values()]
    assert all(effect.endswith(".") and effect[0] != " " for effect in effects)


def test_the_page_lists_the_shipped_profiles() -> None:
    assert sorted(rows("Shipped profiles")) == shipped_profile_names()


def test_the_example_profile_loads_and_has_every_key(tmp_path: Path) -> None:
    example = section("A profile").split("```yaml\n")[1].split("```")[0]
    file = tmp_path / "mine.yml"
    file.write_text(example)
    assert load_profile(file).name == "mine"
    written = set(re.findall(r"^([a-z0-9_]+):", example, re.MULTILINE))
    assert written == set(Profile.__struct_fields__)


def test_the_page_names_every_field_of_the_log() -> None:
    named = set(re.findall(r"`([a-z_]+)`", section("The truth log")))
    assert set(TruthLine.__struct_fields__) <= named
