"""The simulated years say what they count."""

import pytest

from benchmarks.nights import main


def test_an_upgrade_is_compared_with_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    main(["upgrades", "--years", "1"])
    told = capsys.readouterr().out
    assert told == "upgrade of the definitions: 0 of 165 nights after it are compared with the old baseline\n"


def test_an_outage_is_told_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    main(["outages", "--years", "1"])
    assert "request success suspicious in 3 of 3 nights; another figure in 0;" in capsys.readouterr().out
