"""What the page of a probing says: every string formatted."""

from dataclasses import dataclass

from harness.report.page import Fact, Section, SideLabel, Table, Tone
from harness.report.untrusted import Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeView:
    """One request of a probe and what came back, as they were."""

    title: str
    asked: Excerpt
    answered: Excerpt


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """All that one probe asked one endpoint."""

    anchor: str
    title: str
    side: str
    word: str
    tone: Tone
    exchanges: tuple[ExchangeView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeView:
    """What the user's code must change, and the probes that say so."""

    side: str
    probes: tuple[tuple[str, str], ...]  # id, and the anchor of its evidence
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesView:
    """Everything the page, its Markdown and the terminal say of one or several endpoints' probes."""

    title: str
    sentence: str
    tone: Tone
    sections: tuple[Section, ...]
    sides: tuple[SideLabel, ...]
    facts: tuple[Fact, ...]
    summary: Table  # how many probes of each class, per endpoint
    differences: Table | None  # None: one endpoint
    groups: tuple[Table, ...]
    errors: Table | None  # None: the error contract was not probed
    changes: tuple[ChangeView, ...]
    skipped: tuple[str, ...]
    evidence: tuple[EvidenceView, ...]
