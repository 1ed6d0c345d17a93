"""Pages taken apart for tests."""

import re
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser

from harness.analysis.results.analysis import Analysis
from harness.report.html import render_html
from harness.report.page import Figure, ReportView
from harness.report.view import build_view
from tests.report.cases import CASES, hostile
from tests.report.sample import catalog, header

_VOID = {"meta", "link", "input", "img", "br", "hr", "path"}


def view_of(analysis: Analysis) -> ReportView:
    """Say everything about an analysis."""
    return build_view(analysis, header(), catalog())


@cache
def view(case: str) -> ReportView:
    """Give the view of a case by name."""
    return view_of(CASES[case]())


def figures_of(found: ReportView) -> list[Figure]:
    """Give every figure of a page."""
    levels = (found.levels.figure, *found.levels.tails) if found.levels else ()
    every = (found.forest, *found.figures, *found.paired, found.overtime, found.divergence, *levels)
    return [figure for figure in every if isinstance(figure, Figure)]


@cache
def page(case: str) -> str:
    """Give the page of a case by name."""
    return render_html(view(case))


@cache
def hostile_view() -> ReportView:
    """Give the view of an endpoint whose every word is an attack."""
    return view_of(hostile())


def squeezed(text: str) -> str:
    """Run spaces of every kind together."""
    return re.sub(r"\s+", " ", text)


@dataclass
class Parsed(HTMLParser):
    """What a browser would make of a page: elements, ids, links, its visible text."""

    source: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Parse the whole source."""
        super().__init__(convert_charrefs=True)
        self._inside = ""
        self.feed(self.source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element with its attributes."""
        self.elements.append((tag, dict(attrs)))
        self._inside = tag if tag in {"script", "style"} else self._inside

    def handle_endtag(self, tag: str) -> None:
        """Leave a script or style."""
        self._inside = "" if tag == self._inside else self._inside

    def handle_data(self, data: str) -> None:
        """Keep the text apart from script and style."""
        kept = {"script": self.scripts, "style": self.styles}.get(self._inside, self.words)
        kept.append(data)

    @property
    def text(self) -> str:
        """The page's words, spaces run together."""
        return squeezed(" ".join(self.words))

    def attributes(self, name: str) -> list[str]:
        """Give every value of an attribute."""
        return [value or "" for _, found in self.elements for key, value in found.items() if key == name]


@cache
def parsed(case: str) -> Parsed:
    """Give a case's page, parsed."""
    return Parsed(page(case))
