"""`bench publish`: a table of measured throughput in a page of the documentation."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.clock import SystemClock
from harness.errors import ConfigError
from harness.model.storage import write_atomically

if TYPE_CHECKING:
    from harness.analysis.results.published import Publication
    from harness.report.publishplace import Place

_STALE_AFTER_DAYS = 90


@click.command()
@click.argument("runs", nargs=-1, required=True)
@click.option("--into", "page", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The page.")
@click.option("--tier", "tiers", multiple=True, metavar="NAME", help="A tier of the table, measured or not; repeat it.")
@click.option(
    "--stale-after",
    type=click.IntRange(1),
    default=_STALE_AFTER_DAYS,
    show_default=True,
    metavar="DAYS",
    help="Mark what was measured longer ago.",
)
@click.option("--today", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The day that age is counted from.")
@click.option("--quiet", "-q", is_flag=True, help="Print nothing but errors.")
def publish(runs: tuple[str, ...], page: Path, tiers: tuple[str, ...], **given: Any) -> None:
    """Write the throughput of recorded RUNS between the markers of a page, one row per tier.

    A run is a folder, or a side of it (results/<run>:candidate); its tier is the one of the endpoint file's labels. The
    page gets a table and, beside it, the same as JSON, a plot and a badge per tier. The same runs give the same bytes.
    Each run is judged again first. One that did not finish, whose timings are not valid, or whose folder does not give
    its verdict.json again is refused.

    \b
    Example:
        bench publish results/<run> --into docs/throughput.md --tier h100 --tier b200
    """
    from harness.cli.publishing import Terms, judged_rows, publication_of, source_of  # noqa: PLC0415  # keeps --help light

    target = _read_target(page)
    sources = dict.fromkeys(map(source_of, runs))
    rows = [row for source in sources for row in judged_rows(source, page)]
    terms = Terms(tiers=tiers, stale_after_days=given["stale_after"], today=day_of(given["today"]))
    for file in _write(page, target, publication_of(rows, terms)):
        if not given["quiet"]:
            click.echo(file)


def day_of(given: datetime | None) -> date:
    """Give the day asked for, or the clock's."""
    return given.date() if given is not None else SystemClock().now().date()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """A page as it is now."""

    place: "Place"
    newline: str


def _read_target(page: Path) -> _Target:
    from harness.report.publishplace import find_place, new_page  # noqa: PLC0415

    if not page.exists():
        return _Target(place=find_place(new_page(), str(page)), newline="\n")
    try:
        content = page.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the page cannot be read: {error}", where=str(page), remedy="Name a UTF-8 text") from None
    newline = "\r\n" if "\r\n" in content else "\n"
    return _Target(place=find_place(content.replace("\r\n", "\n"), str(page)), newline=newline)


def _write(page: Path, target: _Target, publication: "Publication") -> list[str]:
    """Write what differs, the page last; what the page's last publication left and this one has not goes away."""
    from harness.cli.publishing import files_of  # noqa: PLC0415
    from harness.report.publish import names_of, render_block  # noqa: PLC0415
    from harness.report.write import make_folder  # noqa: PLC0415

    make_folder(page.parent)
    names = names_of(page.name)
    files = files_of(publication, names)
    old = _old_files(page, target.place)
    if target.place.data != names.data:
        _refuse_others_files(page.parent, names.data, files)
    place = target.place
    text = f"{place.before}{render_block(publication, names)}{place.after}".replace("\n", target.newline)
    written = [
        file for file, content in {**files, page.name: text.encode()}.items() if _replace(page.parent / file, content)
    ]
    for file in sorted(old.keys() - files.keys()):
        (page.parent / file).unlink(missing_ok=True)
        written.append(f"{file} (removed)")
    return [str(page.parent / file) for file in written]


def _replace(file: Path, content: bytes) -> bool:
    if file.exists() and file.read_bytes() == content:
        return False
    write_atomically(file, content)
    return True


def _refuse_others_files(folder: Path, data: str, files: Mapping[str, bytes]) -> None:
    """A page called data.md must not replace a data.json that somebody else wrote; what we wrote before is ours."""
    from harness.report.publishplace import decode_publication  # noqa: PLC0415

    if (folder / data).exists():
        decode_publication((folder / data).read_bytes(), str(folder / data))
        return
    taken = [str(folder / file) for file in files if (folder / file).exists()]
    if taken:
        raise ConfigError("would be replaced", where=", ".join(taken), remedy="Name another page, or move it away")


def _old_files(page: Path, place: "Place") -> Mapping[str, bytes]:
    """Give the badges that the page's last publication wrote; none where its JSON cannot be read any more."""
    from harness.report.publish import names_of  # noqa: PLC0415
    from harness.report.publishplace import decode_publication  # noqa: PLC0415

    if place.data is None or not (page.parent / place.data).is_file():
        return {}
    try:
        old = decode_publication((page.parent / place.data).read_bytes(), place.data)
    except ConfigError:
        return {}
    names = names_of(page.name)
    return {names.badge(tier): b"" for tier in old.tiers if names.data == place.data}
