"""`bench demo` needs no network: nothing of the environment stands between it and its own endpoints."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import main
from harness.model.storage import load_run
from tests.cli.files import golden_file


@pytest.mark.parametrize(("more", "n_processes"), [((), 1), (("--isolate",), 2)])
def test_a_proxy_in_the_environment_does_not_keep_the_demo_from_its_endpoints(
    more: tuple[str, ...], n_processes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")  # nobody listens there
    monkeypatch.delenv("no_proxy", raising=False)
    words = ["demo", "--golden", str(golden_file(tmp_path)), "--repeats", "1", "--quiet", *more]
    shown = CliRunner().invoke(main, [*words, "--out", str(tmp_path / "results"), "--reports", str(tmp_path / "r")])
    assert shown.exit_code in {0, 1, 3, 4}, shown.output
    (run,) = (load_run(folder) for folder in (tmp_path / "results").iterdir())
    assert len(run.attempts) > 4
    assert {attempt.failure for attempt in run.attempts} == {None}
    assert len(run.header.client) == n_processes
    assert not any("file" in header.facts for header in run.header.arms)  # a checklist would name a file that is gone
