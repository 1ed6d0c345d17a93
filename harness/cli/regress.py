"""`bench regress`: is the newest run worse than the baseline, and is that confirmed."""

import json
import os
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.cli.again import words_of_options
from harness.cli.completing import complete_run, complete_side
from harness.cli.exporting import exports_of
from harness.cli.helppage import SectionedCommand
from harness.cli.ledgering import usual_ledger
from harness.cli.options import measuring_options
from harness.cli.screen import say
from harness.cli.unattended import unattended_options
from harness.errors import ConfigError
from harness.model.baseline import baseline_of, read_baselines
from harness.model.ledger import Ledger, LedgerEntry, differences, read_ledger
from harness.model.storage import write_atomically

if TYPE_CHECKING:
    from harness.analysis.results.nights import NightlyCheck, NightlyRule

_FILE = click.Path(path_type=Path, dir_okay=False)
_NOT_AGAIN = ("confirm", "rerun", "rerun_set", "quiet", "as_json")


@click.command(cls=SectionedCommand)
@click.argument("endpoints", nargs=-1, metavar="[ENDPOINT]...", shell_complete=complete_side)
@click.option("--ledger", type=_FILE, metavar="FILE", help="Ledger; history/ledger.jsonl.")
@click.option("--night", metavar="RUN", help="Run that is checked, or how it begins; the newest by default.")
@click.option("--baseline", metavar="RUN", help="Run to hold it against, instead of the one that is set.")
@click.option("--figure", "figures", multiple=True, metavar="NAME", help="Check this figure only (may be repeated).")
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="NAME=PERCENT",
    help="Least change of a figure that is a regression, as in decode_p50=8: per cent, or points of a rate.",
)
@click.option("--confirm", is_flag=True, help="Measure suspicious prompts again, on the endpoint files given.")
@click.option(
    "--rerun",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Confirm by this run.",
    shell_complete=complete_run,
)
@click.option("--rerun-set", type=_FILE, metavar="FILE", help="Write the suspicious prompts as a golden set.")
@click.option("--markdown", type=click.Path(path_type=Path), metavar="FILE", help="Write the check as Markdown.")
@click.option("--step-summary", is_flag=True, help="Append the Markdown to the file that $GITHUB_STEP_SUMMARY names.")
@measuring_options
@unattended_options
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors; the exit code says how it ended.")
@click.option("--json", "as_json", is_flag=True, help="Print the check as one line of JSON.")
def regress(endpoints: tuple[str, ...], **given: Any) -> int:
    """Say whether the newest run of the ledger is worse than its baseline.

    Worse is a change beyond a figure's threshold that nights without a change hardly ever show. That is a suspicion;
    with --confirm the prompts in question are measured once more, on ENDPOINT (or on reference and candidate), and
    only what shows again is a regression. The rule and its error rates are in docs/statistics.md.

    \b
    Exit codes: 0 no regression, 1 a regression that a rerun confirmed,
    3 a suspicion that is not confirmed, or a night that cannot be judged.

    \b
    Example:
        bench regress --confirm a.yml b.yml --markdown regress.md
    """
    from harness.analysis.nightlyregression import with_reruns  # noqa: PLC0415  # numpy and scipy load here

    _refuse_contradictions(endpoints, given)
    exports = exports_of({"markdown": given["markdown"], "step_summary": given["step_summary"]}, os.environ)
    ledger = read_ledger(usual_ledger(given["ledger"]))
    tonight = _tonight(ledger, given["night"])
    series, place, check = _checked(ledger, tonight, given)
    if check.suspicions and given["rerun_set"] is not None:
        _write_set(check, tonight, given)
    again = _again(check, series, endpoints, given)
    if again is not None:
        check = with_reruns(check, _reruns(series, place, again, check))
    _export(check, exports)
    hint = None if endpoints or given["rerun"] is not None else _to_confirm(tonight)
    return _say(check, hint, given)


def _to_confirm(tonight: LedgerEntry) -> str | None:
    """Write the command that measures again, with what was given to this one; None where nothing can be."""
    from harness.cli.rerunning import has_recorded_side  # noqa: PLC0415

    if has_recorded_side(tonight):
        return None
    options = words_of_options(click.get_current_context(), without=_NOT_AGAIN)
    return shlex.join(["bench", "regress", "--confirm", *("a.yml", "b.yml")[: len(tonight.sides)], *options])


def _refuse_contradictions(endpoints: Sequence[str], given: dict[str, Any]) -> None:
    if given["confirm"] != bool(endpoints):
        problem = "--confirm needs endpoint files" if given["confirm"] else "endpoint files are for --confirm"
        raise ConfigError(problem, remedy="Write bench regress --confirm a.yml b.yml")
    if len(endpoints) > 2:  # noqa: PLR2004  # reference and candidate
        raise ConfigError(f"{len(endpoints)} endpoint files are given", remedy="Give reference and candidate")
    if given["confirm"] and given["rerun"] is not None:
        raise ConfigError("--confirm and --rerun exclude each other", remedy="Give one of them")


def _tonight(ledger: Ledger, night: str | None) -> LedgerEntry:
    if not ledger.entries:
        raise ConfigError("the ledger holds no run", where=str(ledger.file), remedy="bench run --ledger FILE adds one")
    return ledger.find(night) if night else ledger.entries[-1]


def _checked(
    ledger: Ledger, tonight: LedgerEntry, given: dict[str, Any]
) -> tuple[tuple[LedgerEntry, ...], int, "NightlyCheck"]:
    """Check tonight's run; where no baseline is comparable with it, say in what it differs."""
    from harness.analysis.ledgernights import series_until  # noqa: PLC0415
    from harness.analysis.nightlyregression import check_night  # noqa: PLC0415
    from harness.analysis.nightmetrics import with_thresholds  # noqa: PLC0415
    from harness.analysis.results.nights import NightlyRule  # noqa: PLC0415

    metrics = with_thresholds(_thresholds(given["thresholds"]), given["figures"])
    rule = NightlyRule()
    named = _baseline(ledger, tonight, given["baseline"])
    if named.comparable != tonight.comparable:
        return (), 0, _refused(tonight, named, rule)
    series = series_until(ledger, tonight)
    if named not in series:
        raise ConfigError(
            f"the baseline {named.run_id} is later than {tonight.run_id}", remedy="Choose a later --night"
        )
    place = series.index(named)
    return series, place, check_night(series, place, metrics, rule)


def _baseline(ledger: Ledger, tonight: LedgerEntry, named: str | None) -> LedgerEntry:
    """Give the run to hold tonight's against: the one named, its series' own, or the one that is most like it."""
    if named is not None:
        return ledger.find(named)
    own = baseline_of(ledger, tonight.comparable)
    if own is not None:
        return own[1]
    set_ones = {one.run_id for one in read_baselines(ledger.file).baselines}
    others = [entry for entry in ledger.entries if entry.run_id in set_ones]
    if not others:
        raise ConfigError(
            "no baseline is set",
            where=str(ledger.file),
            remedy="bench baseline set RUN --reason WHY, or --baseline RUN",
        )
    return min(others, key=lambda entry: (len(differences([entry, tonight])), entry.run_id))


def _refused(tonight: LedgerEntry, named: LedgerEntry, rule: "NightlyRule") -> "NightlyCheck":
    from harness.analysis.ledgernights import watched_arm  # noqa: PLC0415
    from harness.analysis.results.nights import NightlyCheck, RegressionWord  # noqa: PLC0415

    parts = tuple(str(difference) for difference in differences([named, tonight]))
    names = ", ".join(difference.part for difference in differences([named, tonight]))
    return NightlyCheck(
        word=RegressionWord.NOT_JUDGED,
        sentence=f"Not comparable with the baseline: {names} differ{'s' if len(parts) == 1 else ''}. Where that is "
        f"meant, set a new baseline: `bench baseline set {tonight.run_id} --reason WHY`.",
        run_id=tonight.run_id,
        baseline_run_id=named.run_id,
        side=watched_arm(tonight).value,
        rule=rule,
        refused=parts,
    )


def _thresholds(words: Sequence[str]) -> dict[str, float]:
    found = {}
    for word in words:
        name, _, number = word.partition("=")
        try:
            found[name] = float(number) / 100
        except ValueError:
            raise ConfigError(f"{word!r} is no threshold", where="--threshold", remedy="Write decode_p50=8") from None
        if not 0 < found[name] < 1:
            raise ConfigError(f"{word!r} is not between 0 and 100", where="--threshold", remedy="Write decode_p50=8")
    return found


def _write_set(check: "NightlyCheck", tonight: LedgerEntry, given: dict[str, Any]) -> None:
    from harness.cli.goldenwriting import write_golden_set  # noqa: PLC0415
    from harness.cli.rerunning import suspected_prompts, suspected_set  # noqa: PLC0415

    golden = suspected_set(tonight, suspected_prompts(check), given)
    write_golden_set(golden, given["rerun_set"], [f"The suspicious prompts of {tonight.run_id}."], may_replace=True)
    if not given["quiet"]:
        say(f"wrote {len(golden.prompts)} prompts to {given['rerun_set']}")


def _again(
    check: "NightlyCheck", series: Sequence[LedgerEntry], endpoints: Sequence[str], given: dict[str, Any]
) -> LedgerEntry | None:
    """Give the rerun: the one named, or one that is measured now; None where nothing is suspected or asked."""
    from harness.cli.rerunning import entry_of_run, refuse_others, rerun, suspected_prompts, suspected_set  # noqa: PLC0415

    if not check.suspicions:
        return None
    if given["rerun"] is not None:
        return _newer(entry_of_run(given["rerun"]), series, given["rerun"])
    if not given["confirm"]:
        return None
    tonight = series[-1]
    if len(endpoints) != len(tonight.sides):
        raise ConfigError(
            f"{tonight.run_id} measured {len(tonight.sides)} endpoints, and {len(endpoints)} are given",
            remedy="Name as many endpoint files",
        )
    refuse_others(endpoints, tonight)
    golden = suspected_set(tonight, suspected_prompts(check), given)
    options = {**given, "quiet": given["quiet"] or given["as_json"], "rerun_of": tonight.run_id}
    return entry_of_run(rerun(endpoints, golden, options))


def _newer(again: LedgerEntry, series: Sequence[LedgerEntry], folder: Path) -> LedgerEntry:
    from harness.analysis.confirmation import why_no_rerun  # noqa: PLC0415

    reason = why_no_rerun(series, again)
    if reason is not None:
        raise ConfigError(
            f"this run confirms nothing: {reason}",
            where=str(folder),
            remedy=f"Name one that was measured after {series[-1].run_id}, or measure one with --confirm",
        )
    return again


def _reruns(series: Sequence[LedgerEntry], place: int, again: LedgerEntry, check: "NightlyCheck") -> dict[str, Any]:
    from harness.analysis.confirmation import judge_rerun  # noqa: PLC0415

    return {one.night.metric.id: judge_rerun(series, place, again, one, check.rule) for one in check.suspicions}


def _export(check: "NightlyCheck", exports: Any) -> None:
    from harness.report.nightlytext import nightly_markdown  # noqa: PLC0415

    told = nightly_markdown(check)
    if exports.markdown is not None:
        write_atomically(exports.markdown, told.encode())
    if exports.step_summary is not None:
        with exports.step_summary.open("a", encoding="utf-8") as file:
            file.write(f"\n{told}")


def _say(check: "NightlyCheck", hint: str | None, given: dict[str, Any]) -> int:
    from harness.analysis.results.nights import EXIT_CODES  # noqa: PLC0415
    from harness.report.untrusted import visible  # noqa: PLC0415

    code = EXIT_CODES[check.word]
    if given["as_json"]:
        click.echo(json.dumps({**msgspec.to_builtins(check), "exit_code": code}, allow_nan=False))
    elif not given["quiet"]:
        for line in _lines(check, hint):
            click.echo(visible(line))
    return code


def _lines(check: "NightlyCheck", hint: str | None) -> Iterator[str]:
    from harness.cli.texttable import grid, paragraph  # noqa: PLC0415
    from harness.report.nightlytext import HEADS, figure_rows, head_line, suspicion_lines  # noqa: PLC0415

    yield f"{check.word.value}: {head_line(check)}"
    yield from paragraph(check.sentence.replace("`", ""))
    if check.metrics:
        yield ""
        yield from grid(HEADS, figure_rows(check))
    for one in (*check.suspicions, *check.common, *check.of_reference):
        yield ""
        yield one.night.metric.title
        for line in suspicion_lines(one):
            yield from paragraph(line, first="  ", rest="    ")
    for note in (*check.refused, *check.notes):
        yield from paragraph(note, first="note: ", rest="  ")
    if check.suspicions and hint is not None:
        yield f"to measure the suspicious prompts again: {hint}"
