"""docs/wire.md names what the code does: every failure of the transport, every number."""

import re
from pathlib import Path

from harness.decode.compression import MAX_BODY_BYTES
from harness.measure.wire import address, player, watchdog
from harness.measure.wire.framing import MAX_HEAD_BYTES
from harness.measure.wire.intake import DRAIN_S
from harness.measure.wire.tls import READ_SIZE
from harness.model.record import FailureKind

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8")
CODE = "".join(file.read_text(encoding="utf-8") for file in Path(watchdog.__file__).parent.glob("*.py"))


def test_every_failure_that_the_wire_can_tell_is_on_the_page() -> None:
    named = set(re.findall(r"FailureKind\.([A-Z_]+)", CODE))
    assert len(named) > 10
    assert {name for name in named if f"`{FailureKind[name].value}`" not in PAGE} == set()


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"after {address.STAGGER_S * 1000:.0f} ms, or at once" in PAGE
    assert f"after {player._KEPT_S:.0f} s of idleness" in PAGE
    assert f"given up after {DRAIN_S * 1000:.0f} ms" in PAGE
    assert f"a head of more than {MAX_HEAD_BYTES >> 20} MiB" in PAGE
    assert f"a body of more than {MAX_BODY_BYTES >> 20} MiB" in PAGE
    assert f"one read ({READ_SIZE >> 10} KiB)" in PAGE
    assert {seconds for _, seconds in address._KEEP_ALIVE[:2]} == {60}
    assert "first probe after 60 s, then every 60 s, five of them" in PAGE
