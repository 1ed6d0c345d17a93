"""The files that a judgement is exported to, and their refusal before anything is sent."""

import importlib.util
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import ConfigError, IncompleteRunError
from harness.model.storage import write_atomically

if TYPE_CHECKING:
    from harness.analysis.results.analysis import Analysis
    from harness.model.record import RunHeader
    from harness.report.page import ReportView

STEP_SUMMARY = "GITHUB_STEP_SUMMARY"
_TABLES = (".csv", ".parquet")
_NAMES = ("markdown", "junit", "requests", "prometheus")
_Command = Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """Where to write what; None: not asked for."""

    markdown: Path | None = None
    junit: Path | None = None
    requests: Path | None = None
    prometheus: Path | None = None
    step_summary: Path | None = None

    def __bool__(self) -> bool:
        """Say whether anything was asked for."""
        return any((self.markdown, self.junit, self.requests, self.prometheus, self.step_summary))

    def write(self, analysis: "Analysis", header: "RunHeader", view: "ReportView") -> Iterator[Path]:
        """Write each file, those that replace one in one step; give the path of each as it is written."""
        for file, content in self._contents(analysis, header, view):
            write_atomically(file, content)
            yield file
        if self.step_summary is not None:
            _append(self.step_summary, _markdown(view))
            yield self.step_summary

    def _contents(self, analysis: "Analysis", header: "RunHeader", view: "ReportView") -> Iterator[tuple[Path, bytes]]:
        from harness.report.junit import render_junit  # noqa: PLC0415  # loads with the analysis
        from harness.report.prometheus import render_prometheus  # noqa: PLC0415

        if self.markdown is not None:
            yield self.markdown, _markdown(view)
        if self.junit is not None:
            yield self.junit, render_junit(analysis, header)
        if self.requests is not None:
            yield self.requests, _table(analysis, self.requests)
        if self.prometheus is not None:
            yield self.prometheus, render_prometheus(analysis, header).encode()


def exporting_options(command: _Command) -> _Command:
    """Add the exports of a judgement."""
    files = (
        ("--markdown", "FILE", "Write the verdict as Markdown, short enough for a pull-request comment."),
        ("--junit", "FILE", "Write gates, validity and checks as JUnit XML."),
        (
            "--requests",
            "FILE",
            "Write a table of every request: .csv, or .parquet with the extra bench-harness[parquet].",
        ),
        ("--prometheus", "FILE", "Write the figures for Prometheus' textfile collector."),
    )
    command = click.option(
        "--step-summary", is_flag=True, help=f"Append the Markdown to the file that ${STEP_SUMMARY} names."
    )(command)
    for name, metavar, told in reversed(files):
        command = click.option(name, type=click.Path(path_type=Path), metavar=metavar, help=told)(command)
    return command


def exports_of(given: Mapping[str, Any], environ: Mapping[str, str]) -> Exports:
    """Read what was asked for; ConfigError for a file that could not be written."""
    files = {name: given[name] for name in _NAMES if given.get(name) is not None}
    _refuse_one_file_for_two(files)
    for name, file in files.items():
        refuse_unwritable(file, f"--{name}")
    if "requests" in files:
        _refuse_unknown_table(files["requests"])
    step_summary = _step_summary(environ) if given.get("step_summary") else None
    return Exports(**files, step_summary=step_summary)


def _refuse_one_file_for_two(files: Mapping[str, Path]) -> None:
    taken: dict[Path, str] = {}
    for name, file in files.items():
        other = taken.setdefault(file.resolve(), name)
        if other != name:
            raise ConfigError(f"--{other} and --{name} name the same file", where=str(file), remedy="Give each its own")


def refuse_unwritable(file: Path, option: str) -> None:
    """Find out before any work that its result could not be written; the folder is made, the file is not."""
    reason = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.exists() and not file.is_file():
            reason = "it is a folder" if file.is_dir() else "it is no regular file"
        elif not os.access(file.parent, os.W_OK | os.X_OK):
            reason = "no permission to write there"
    except OSError as error:
        reason = error.strerror
    if reason is not None:
        raise ConfigError(f"{option} cannot be written: {reason}", where=str(file), remedy="Choose another file")


def _refuse_unknown_table(file: Path) -> None:
    if file.suffix.lower() not in _TABLES:
        raise ConfigError(
            f"--requests writes CSV or Parquet, and {file.suffix or 'no ending'} is neither",
            where=str(file),
            remedy="Name it .csv or .parquet",
        )
    if file.suffix.lower() == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ConfigError(
            "Parquet needs pyarrow, which is not installed",
            where=str(file),
            remedy="pip install 'bench-harness[parquet]', or name it .csv",
        )


def _step_summary(environ: Mapping[str, str]) -> Path:
    named = environ.get(STEP_SUMMARY)
    if not named:
        raise ConfigError(
            f"--step-summary appends to the file that {STEP_SUMMARY} names, and it is not set",
            remedy="GitHub Actions sets it; elsewhere use --markdown FILE",
        )
    file = Path(named)
    if not file.parent.is_dir() or file.is_dir():
        raise ConfigError(f"{STEP_SUMMARY} names no file that can be written", where=named, remedy="Leave it to GitHub")
    return file


def _markdown(view: "ReportView") -> bytes:
    from harness.report.markdown import render_markdown  # noqa: PLC0415

    return render_markdown(view).encode()


def _table(analysis: "Analysis", file: Path) -> bytes:
    from harness.report.requeststable import render_csv, render_parquet, request_rows  # noqa: PLC0415

    rows = request_rows(analysis)
    return render_parquet(rows) if file.suffix.lower() == ".parquet" else render_csv(rows)


def _append(file: Path, content: bytes) -> None:
    """Add to what other steps wrote; a blank line keeps their last paragraph apart."""
    try:
        with file.open("ab") as summary:
            summary.write((b"\n" if summary.tell() else b"") + content)
    except OSError as error:
        raise IncompleteRunError(f"{file}: cannot be written: {error.strerror}") from error
