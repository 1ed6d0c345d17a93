"""A report as files: the page, its Markdown, its summary."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigError
from harness.model.reportname import stem_of
from harness.model.storage import write_atomically

if TYPE_CHECKING:
    from harness.analysis.results.analysis import Analysis
    from harness.analysis.results.case import Case
    from harness.model.record import RunHeader
    from harness.report.exhibits import Exhibits
    from harness.report.page import ChecklistView, ReportView
    from harness.report.probepage import ProbesView

_LONGEST_NAME = 200  # of a file, its ending and a temporary one's left over
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^\.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """Where a report lies, with the view and the summary that it was made from."""

    html: Path
    markdown: Path
    summary: Path
    view: "ReportView"
    content: Mapping[str, object]  # of the summary


def write_report(
    analysis: "Analysis",
    header: "RunHeader | None",
    reports: Path,
    *,
    suffix: str = "",
    checklist: "ChecklistView | None" = None,
    exhibits: "Exhibits | None" = None,
) -> WrittenReport:
    """Say, render and write a report; a suffix keeps another judgement of the same run beside the planned one."""
    from harness.analysis.analyse import to_summary  # noqa: PLC0415  # pandas and scipy load here
    from harness.analysis.catalog import CATALOG  # noqa: PLC0415
    from harness.report.view import build_view  # noqa: PLC0415  # matplotlib and jinja2 load below it

    view = build_view(analysis, header, CATALOG, checklist, exhibits)
    return write_view(view, to_summary(analysis), reports / (file_stem(analysis.case) + suffix))


def write_view(view: "ReportView", summary: Mapping[str, object], stem: Path) -> WrittenReport:
    """Write the three files, each in one step; `stem` is their path without an ending."""
    from harness.report.html import render_html  # noqa: PLC0415
    from harness.report.markdown import render_markdown  # noqa: PLC0415

    make_folder(stem.parent)
    written = WrittenReport(
        html=stem.with_name(f"{stem.name}.html"),
        markdown=stem.with_name(f"{stem.name}.md"),
        summary=stem.with_name(f"{stem.name}.summary.json"),
        view=view,
        content=summary,
    )
    write_atomically(written.html, render_html(view).encode())
    write_atomically(written.markdown, render_markdown(view).encode())
    write_atomically(written.summary, encode_summary(summary))
    return written


def write_probes(view: "ProbesView", stem: Path) -> tuple[Path, Path]:
    """Write the page of a probing and its Markdown; `stem` is their path without an ending."""
    from harness.report.html import render_probes  # noqa: PLC0415
    from harness.report.probesmarkdown import render_probes_markdown  # noqa: PLC0415

    make_folder(stem.parent)
    page, markdown = stem.with_name(f"{stem.name}.html"), stem.with_name(f"{stem.name}.md")
    write_atomically(page, render_probes(view).encode())
    write_atomically(markdown, render_probes_markdown(view).encode())
    return page, markdown


def probes_stem(names: Sequence[str], reports: Path) -> Path:
    """Name the page of a probing after its folders."""
    return reports / "-and-".join(_UNSAFE.sub("_", name) for name in names)[:_LONGEST_NAME]


def encode_summary(summary: Mapping[str, object]) -> bytes:
    """Encode a summary as JSON of plain ASCII, which holds even half a surrogate pair; ValueError for NaN."""
    return json.dumps(summary, indent=1, allow_nan=False).encode() + b"\n"


def file_stem(case: "Case") -> str:
    """Name a report after its run; after both runs when the sides come from two."""
    return stem_of(case.reference.run_id, (case.candidate or case.reference).run_id)


def make_folder(folder: Path) -> None:
    """Make the folder of reports; ConfigError where that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"cannot create the folder of reports: {error.strerror}",
            where=str(folder),
            remedy="Choose another --reports",
        ) from None
