"""`bench diff`: the two sides' answers to a prompt, or two runs."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.errors import ConfigError
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.report.answerdifference import AnswerDifference
    from harness.report.rundifference import ComparedRun, RunDifference


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("other")
@click.option("--json", "as_json", is_flag=True, help="Print it as one line of JSON.")
def diff(run: Path, other: str, *, as_json: bool) -> None:
    """Show how both sides of RUN answer one prompt, or in what RUN and another run differ.

    OTHER is a prompt's id or a run folder. Answers are counted, the most frequent ones aligned where they part, and
    JSON is compared by path. Of two runs: settings, endpoints, golden prompts and headline figures, and what of it is
    not to be compared. The exit code is 0 whether they differ or not.

    \b
    Example:
        bench diff results/<run> capital
        bench diff results/<run> results/<another>
    """
    if Path(other).is_dir():
        _show(_of_runs(run, Path(other)), as_json=as_json)
    else:
        _show(_of_prompt(run, other), as_json=as_json)


def _show(found: "AnswerDifference | RunDifference", *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(_finite(msgspec.to_builtins(found)), allow_nan=False))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(found: "AnswerDifference | RunDifference") -> Iterable[str]:
    from harness.report.answerdifference import AnswerDifference, difference_lines  # noqa: PLC0415
    from harness.report.rundifference import run_difference_lines  # noqa: PLC0415

    return difference_lines(found) if isinstance(found, AnswerDifference) else run_difference_lines(found)


def _finite(value: Any) -> Any:
    """Write infinity, a quantile among failures, as the summary does."""
    from harness.analysis.summary import plain  # noqa: PLC0415  # pandas and scipy load here

    return plain(value)


def _of_prompt(folder: Path, prompt_id: str) -> "AnswerDifference":
    from harness.cli.recorded import known_prompt, recorded_run  # noqa: PLC0415  # keeps --help light
    from harness.report.answerdifference import answer_difference  # noqa: PLC0415

    if "/" in prompt_id:
        raise ConfigError(
            "no such run folder", where=prompt_id, remedy="Give a folder below results/, or a prompt's id"
        )
    run = recorded_run(folder)
    if not {Arm.REFERENCE, Arm.CANDIDATE} <= set(run.arms):
        raise ConfigError(
            "the run has one side: there is no other to compare with",
            where=str(folder),
            remedy="Name a second run folder instead of the prompt",
        )
    known_prompt(run, prompt_id)
    own = [request for request in run.requests if request.trial is not None and request.trial.is_judged]
    sides = [(arm, [one for one in own if one.key.arm is arm]) for arm in (Arm.REFERENCE, Arm.CANDIDATE)]
    golden = own[0].side.golden if own else None
    if golden is None:
        raise ConfigError("no judged request is recorded", where=str(folder), remedy="bench show lists what there is")
    names = {header.arm: str(header.endpoint.get("name", "")) for header in run.run.header.arms}
    return answer_difference(
        golden.prompt(prompt_id),
        [
            (arm, names[arm], [one.record for one in requests if one.key.prompt_id == prompt_id])
            for arm, requests in sides
        ],
    )


def _of_runs(one: Path, other: Path) -> "RunDifference":
    from harness.report.rundifference import run_difference  # noqa: PLC0415

    return run_difference(_compared(one), _compared(other))


def _compared(folder: Path) -> "ComparedRun":
    from harness.analysis.casecertificate import case_certificate  # noqa: PLC0415
    from harness.cli.judging import recorded_case  # noqa: PLC0415
    from harness.cli.recorded import recorded_run  # noqa: PLC0415
    from harness.cli.sides import part_of_header  # noqa: PLC0415
    from harness.model.golden import GoldenSet  # noqa: PLC0415
    from harness.report.rundifference import ComparedRun  # noqa: PLC0415
    from harness.report.runfigures import run_figures  # noqa: PLC0415

    run = recorded_run(folder)
    golden = part_of_header(run.run, run.run.header.golden, GoldenSet)
    certificate = case_certificate(recorded_case(folder))
    return ComparedRun(
        header=run.run.header,
        golden=golden,
        verdict=_last_verdict(folder),
        void_timing="; ".join(certificate.reasons) if certificate.is_void else "",
        figures={arm: run_figures(arm, judged, golden) for arm, judged in run.judged.items()},
    )


def _last_verdict(folder: Path) -> str | None:
    """Read the word that the run was last judged with; nothing where it was not, or the file is damaged."""
    try:
        found = json.loads((folder / "verdict.json").read_bytes())
    except (OSError, ValueError):
        return None
    word = found.get("verdict") if isinstance(found, dict) else None
    return word if isinstance(word, str) else None
