"""Makes a publication from run folders, and the files of one."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.verified import shown
from harness.errors import ConfigError
from harness.model.record import Arm
from harness.model.storage import load_header

if TYPE_CHECKING:
    from harness.analysis.results.published import Publication, PublishedRow
    from harness.cli.rejudging import Rejudged
    from harness.report.publish import Names

_FIRST_DIFFERENCES = 3
_REDACTION, _REDACTED_FROM = "redacted.json", "redacted_from"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A run folder with the side of it that is meant; None: every side."""

    folder: Path
    arm: Arm | None = None


def source_of(given: str) -> Source:
    """Read `results/<run>` or `results/<run>:candidate`."""
    from harness.cli.sides import split_arm  # noqa: PLC0415

    path, arm = split_arm(given)
    return Source(folder=path, arm=arm)


def judged_rows(source: Source, page: Path) -> tuple["PublishedRow", ...]:
    """Judge a run again and give its rows."""
    from harness.cli.rejudging import rejudge  # noqa: PLC0415  # pandas and scipy load below

    return rows_of(rejudge(source.folder), source, page)


def rows_of(judged: "Rejudged", source: Source, page: Path) -> tuple["PublishedRow", ...]:
    """Give a row of each side that is meant; ConfigError with every reason why a run is not published."""
    from harness.analysis.published import Origin, published_row, why_not_published  # noqa: PLC0415
    from harness.model.evidence import evidence_sha256  # noqa: PLC0415

    header = judged.run.header
    sides = [side for side in judged.own_sides if source.arm in (None, side.arm)]
    if not sides:
        raise ConfigError(f"the run has no {source.arm} side", where=str(source.folder), remedy="Name another side")
    reasons = [*_why_irreproducible(judged)]
    for side in sides:
        reasons += [reason for reason in why_not_published(judged.analysis, header, side) if reason not in reasons]
    if reasons:
        raise ConfigError(
            f"not published: {'; '.join(reasons)}", where=str(source.folder), remedy="Publish another run"
        )
    origin = Origin(
        header=header,
        evidence_sha256=evidence_sha256(source.folder),
        folder=Path(os.path.relpath(source.folder.resolve(), page.resolve().parent)).as_posix(),
    )
    return tuple(published_row(judged.analysis, side, origin) for side in sides)


def _why_irreproducible(judged: "Rejudged") -> list[str]:
    """Say what of verdict.json the folder does not give again, or that the folder is not whole."""
    found = [f"the folder is not whole: {note}" for note in judged.run.notes]
    if is_redacted(judged.run.folder):
        found.append("it is a redacted copy")
    if judged.recorded is None:
        return [*found, "it holds no verdict.json to be compared with: bench report writes it"]
    return [*found, *_differences(judged)]


def _differences(judged: "Rejudged") -> list[str]:
    recorded = judged.recorded or {}
    before, now = recorded.get("estimators"), judged.summary["estimators"]
    if before != now:
        return [f"it was judged under definitions {before}, and these are {now}: bench recompute shows what moved"]
    found = judged.contradictions
    if not found:
        return []
    told = [f"{one.where}: verdict.json has {shown(one.old)}, the folder gives {shown(one.new)}" for one in found]
    more = f" and {len(told) - _FIRST_DIFFERENCES} more" if len(told) > _FIRST_DIFFERENCES else ""
    return [f"it is not reproducible: {'; '.join(told[:_FIRST_DIFFERENCES])}{more}"]


def is_redacted(folder: Path) -> bool:
    """Whether texts were taken out of a run: a file says so, or the golden set that it holds."""
    golden = load_header(folder).golden
    return (folder / _REDACTION).exists() or bool(golden.get(_REDACTED_FROM))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is asked of a publication besides its runs."""

    tiers: tuple[str, ...] = ()  # in this order, measured or not; the others follow
    stale_after_days: int
    today: date


def publication_of(rows: Sequence["PublishedRow"], terms: Terms) -> "Publication":
    """Put rows in order and mark the stale ones; ConfigError where two are of one tier."""
    from harness.analysis.results.published import Publication  # noqa: PLC0415
    from harness.report.plot_tiers import plotted_with  # noqa: PLC0415  # matplotlib loads here

    by_tier: dict[str, PublishedRow] = {}
    for row in rows:
        other = by_tier.setdefault(row.tier, row)
        if other is not row:
            raise ConfigError(
                f"tier {row.tier} is of two runs: {other.run_id} ({other.arm}) and {row.run_id} ({row.arm})",
                remedy="Give one row per tier: name a side, as in results/<run>:candidate, or leave a run out",
            )
    tiers = tuple(dict.fromkeys((*terms.tiers, *by_tier)))
    return Publication(
        tiers=tiers,
        stale=tuple(tier for tier in tiers if tier in by_tier and is_stale(by_tier[tier], terms)),
        stale_after_days=terms.stale_after_days,
        plotted_with=plotted_with(),
        rows=tuple(by_tier[tier] for tier in tiers if tier in by_tier),
    )


def is_stale(row: "PublishedRow", terms: Terms) -> bool:
    """Whether a row was measured more than so many days ago."""
    return (terms.today - date.fromisoformat(row.measured_at[:10])).days > terms.stale_after_days


def files_of(publication: "Publication", names: "Names") -> Mapping[str, bytes]:
    """Render what lies beside the page, by name."""
    from harness.report.badge import render_badge  # noqa: PLC0415
    from harness.report.plot_tiers import render_plot  # noqa: PLC0415
    from harness.report.publishplace import encode_publication  # noqa: PLC0415

    badges = {names.badge(tier): render_badge(publication, tier) for tier in publication.tiers}
    if len(badges) < len(publication.tiers):
        raise ConfigError("two tiers differ only in signs that no file name takes", remedy="Rename one of them")
    return {names.data: encode_publication(publication), names.plot: render_plot(publication), **badges}
