"""Holds a page's published block, and the files beside it, against what the recorded runs give today."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.cli.plainjson import plain_json
from harness.cli.verified import Difference, Verified, difference_at, ended_words
from harness.errors import ConfigError, DamagedFileError

if TYPE_CHECKING:
    from harness.analysis.results.published import Publication, PublishedRow
    from harness.cli.rejudging import Rejudged
    from harness.report.publish import Names
    from harness.report.publishplace import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page with what its last publication says."""

    file: Path
    place: "Place"
    names: "Names"
    publication: "Publication"
    stated: Any  # the publication as its JSON has it, unknown keys with the rest

    @property
    def data(self) -> Path:
        """The JSON beside it."""
        return self.file.parent / self.names.data


def page_verified(file: Path, roots: Sequence[Path], today: date) -> Verified:
    """Recompute every row, then hold table, JSON, badges and plot against it."""
    from harness.cli.rejudging import rejudge  # noqa: PLC0415  # pandas and scipy load below
    from harness.report.format import plural  # noqa: PLC0415

    page = _read_page(file)
    judge = cache(lambda folder: rejudge(folder, roots))  # one run has a row of each side
    rows: list[PublishedRow] = []
    found: list[Difference] = []
    lacking: list[str] = []
    for row in page.publication.rows:
        folder = _folder_of(row, file, roots)
        if folder is None:
            lacking.append(os.path.normpath(file.parent / row.folder))
        fresh, differences = (row, []) if folder is None else _of_row(page, row, folder, judge)
        rows.append(fresh)
        found += [*differences, *_of_figures(page, len(rows) - 1, fresh, folder)]
    expected = replace(page.publication, rows=tuple(rows))
    found += [*_of_head(page, expected), *_of_block(page, expected), *_of_files(page, expected), *_of_ages(page, today)]
    words = f"{plural(len(rows) - len(lacking), 'row')} of {len(rows)} recomputed from recorded runs"
    unverified = f"; not verified, as the run is not there: {plural(len(lacking), 'row')}" if lacking else ""
    return Verified(
        thing=str(file),
        sentence=f"{words}{unverified}" if lacking and not found else f"{ended_words(words, found)}{unverified}",
        differences=tuple(found),
        lacking=tuple(dict.fromkeys(lacking)),
        notes=tuple(_page_notes(page, today)),
    )


def _read_page(file: Path) -> _Page:
    from harness.report.publish import names_of  # noqa: PLC0415
    from harness.report.publishplace import decode_publication, find_place  # noqa: PLC0415

    try:
        place = find_place(file.read_bytes().decode("utf-8").replace("\r\n", "\n"), str(file))
    except UnicodeDecodeError as error:
        raise ConfigError(f"no page and no archive: {error}", where=str(file), remedy="Give a UTF-8 text") from None
    names = names_of(file.name)
    data = file.parent / names.data
    if place.data != names.data or not data.is_file():
        problem = "nothing was published into it" if place.data is None else f"it names {place.data} as its data"
        raise ConfigError(
            f"{problem}, and {names.data} is {'there' if data.is_file() else 'not there'}",
            where=str(file),
            remedy="Publish again: bench publish results/<run> --into the page",
        )
    content = data.read_bytes()
    publication = decode_publication(content, str(data))
    try:
        stated = plain_json(content)
    except ValueError as error:
        raise DamagedFileError(f"damaged: {error}", where=str(data)) from None
    return _Page(file=file, place=place, names=names, publication=publication, stated=stated)


def _folder_of(row: "PublishedRow", page: Path, roots: Sequence[Path]) -> Path | None:
    """Find a row's run folder: in the folders given, or where it lay when the page was published."""
    from harness.cli.rejudging import is_folder_name  # noqa: PLC0415

    here = Path(os.path.normpath(page.parent / row.folder))
    places = [*(root / row.run_id for root in roots if is_folder_name(row.run_id)), here]
    return next((place for place in places if (place / "run.json").is_file()), None)


def _of_row(
    page: _Page, row: "PublishedRow", folder: Path, judge: "Callable[[Path], Rejudged]"
) -> "tuple[PublishedRow, list[Difference]]":
    """Recompute a row; a run that would not be published today is a difference too."""
    from harness.cli.publishing import Source, rows_of  # noqa: PLC0415

    try:
        (fresh,) = rows_of(judge(folder), Source(folder=folder, arm=row.arm), page.file)
    except ConfigError as error:
        refused = Difference(
            number=f"the row of {row.tier}",
            place=str(page.file),
            stated="figures",
            source=str(folder),
            given=error.problem,
        )
        return row, [refused]
    return replace(fresh, folder=row.folder), []


def _of_figures(page: _Page, place: int, fresh: "PublishedRow", folder: Path | None) -> Iterator[Difference]:
    """Hold a row of the JSON, as it stands, against the one that would be written."""
    from harness.analysis.moved import moved  # noqa: PLC0415

    tier = page.publication.rows[place].tier
    for one in moved(page.stated["rows"][place], _plain(fresh)):
        yield difference_at(one, f"{one.where} of {tier}", str(page.data), str(folder or page.data))


def _of_head(page: _Page, expected: "Publication") -> Iterator[Difference]:
    """Hold what the JSON says besides its rows against what would be written."""
    from harness.analysis.moved import moved  # noqa: PLC0415

    stated, given = ({**one, "rows": ()} for one in (page.stated, _plain(expected)))
    for one in moved(stated, given):
        yield difference_at(one, one.where, str(page.data), "bench publish")


def _plain(made: Any) -> Any:
    return json.loads(msgspec.json.encode(made))


def _of_block(page: _Page, expected: "Publication") -> Iterator[Difference]:
    from harness.report.publish import cells_of, render_block  # noqa: PLC0415

    made = render_block(expected, page.names)
    if made == page.place.block:
        return
    stated, given = cells_of(page.place.block), cells_of(made)
    folders = {row.tier: row.folder for row in expected.rows}
    lines = _line_numbers(page, stated)
    for key in dict.fromkeys((*given, *stated)):
        if stated.get(key) != given.get(key):
            of, name = key
            number = f"{name} of {of}" if of != "line" else f"line {lines[key]}" if key in lines else "a line"
            yield Difference(
                number=number,
                place=str(page.file),
                stated=stated.get(key, "nothing"),
                source=os.path.normpath(page.file.parent / folders[of]) if of in folders else str(page.data),
                given=given.get(key, "nothing"),
            )


def _line_numbers(page: _Page, stated: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], int]:
    """Say at which line of the page each line of the block stands that is in no table."""
    lines = [" ".join(line.split()) for line in page.place.block.split("\n")]
    found: dict[tuple[str, str], int] = {}
    at = 0
    for (of, name), text in stated.items():
        if of == "line" and name.isdigit():  # a tier may have this name, no column a number's
            at = lines.index(text, at) + 1
            found[of, name] = page.place.before.count("\n") + at
    return found


def _of_files(page: _Page, expected: "Publication") -> Iterator[Difference]:
    """Hold badges and plot against what would be written now."""
    from harness.cli.publishing import files_of  # noqa: PLC0415

    for name, made in files_of(expected, page.names).items():
        file = page.file.parent / name
        stated = file.read_bytes() if file.is_file() else None
        if name == page.names.data or stated == made:
            continue
        if stated is None:
            yield Difference(
                number=name, place=str(page.file.parent), stated="no such file", source="a run", given="it"
            )
        elif name != page.names.plot:
            yield from _of_badge(file, stated, made, str(page.data))
        else:
            yield from _of_plot(page, file, stated, made)


def _of_plot(page: _Page, file: Path, stated: bytes, made: bytes) -> Iterator[Difference]:
    """Compare what is read in it; another plotting library draws the same by other lines."""
    from harness.report.plot_tiers import kinds_of, plotted_with, texts_of  # noqa: PLC0415

    old, new = texts_of(stated), texts_of(made)
    pairs = [pair for pair in zip_longest(old, new, fillvalue="nothing") if pair[0] != pair[1]]
    is_same_library = page.publication.plotted_with == plotted_with()
    if not pairs and (is_same_library or not kinds_of(stated) <= kinds_of(made)):
        pairs = [("a drawing", "another drawing of the same numbers")]
    for one, other in pairs:
        yield Difference(number="the plot", place=str(file), stated=one, source=str(page.data), given=other)


def _of_badge(file: Path, stated: bytes, made: bytes, source: str) -> Iterator[Difference]:
    from harness.analysis.moved import moved  # noqa: PLC0415

    try:
        old = plain_json(stated)
    except ValueError:
        old = {}
    found = moved(old, json.loads(made))
    for one in found:
        yield difference_at(one, one.where, str(file), source)
    if not found:
        yield Difference(number="its bytes", place=str(file), stated="other white space", source=source, given="ours")


def _of_ages(page: _Page, today: date) -> Iterator[Difference]:
    """A row that is not stale today was not stale on any day before."""
    for tier in page.publication.stale:
        if tier not in _stale_on(page, today):
            yield Difference(
                number=f"age of {tier}", place=str(page.data), stated="stale", source=f"{today}", given="not yet stale"
            )


def _stale_on(page: _Page, today: date) -> Sequence[str]:
    from harness.cli.publishing import Terms, is_stale  # noqa: PLC0415

    terms = Terms(stale_after_days=page.publication.stale_after_days, today=today)
    return [row.tier for row in page.publication.rows if is_stale(row, terms)]


def _page_notes(page: _Page, today: date) -> Iterator[str]:
    from harness.report.plot_tiers import plotted_with  # noqa: PLC0415

    publication: Publication = page.publication
    late = [tier for tier in _stale_on(page, today) if tier not in publication.stale]
    if late:
        yield f"over {publication.stale_after_days} days old and not marked so: {', '.join(late)}. Publish again"
    if publication.plotted_with != plotted_with():
        drawn = f"the plot was drawn by {publication.plotted_with}, here is {plotted_with()}"
        yield f"{drawn}: its texts are compared, its lines are not"
