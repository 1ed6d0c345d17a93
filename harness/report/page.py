"""What a page says: every string formatted, every figure as data."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from harness.report.difference import Difference
from harness.report.plotdata import Plot
from harness.report.promptpage import Flag, RequestView
from harness.report.untrusted import Excerpt

if TYPE_CHECKING:
    from harness.report.coldpage import ColdView, TimeoutsView

Tone = Literal["plain", "good", "bad", "warn", "void", "muted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A table cell: its text, a second line in small type."""

    text: str
    detail: str = ""
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A table column's head."""

    title: str
    is_number: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table; the first cell of each row is its head."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()  # what has no value, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A labelled value with the small print it needs."""

    label: str
    value: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideLabel:
    """How a side is named on the page."""

    arm: str
    name: str
    model: str
    base_url: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictView:
    """The answer, in a word and in prose."""

    word: str
    icon: str
    tone: Tone
    sentence: str
    worst_case: tuple[str, ...] = ()
    settle: tuple[str, ...] = ()
    not_verified: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    read_first: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateView:
    """Whether the timings count: said before any figure."""

    word: str
    icon: str
    tone: Tone
    sentence: str
    line: str  # for the terminal
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """A figure of the first screen: an effect with its interval, or one side's value with its own."""

    label: str
    value: str
    interval: str
    has_interval: bool = True  # False: `interval` says why there is none
    sides: str  # what the value is made of: both sides' figures, or n
    worst: str = ""  # what the outcome rests on: the worst case still compatible with the data
    allowed: str = ""
    word: str = ""
    icon: str = ""
    tone: Tone = "plain"
    noise: str = ""  # the effect between the reference and itself
    margin_used: float = 0.0  # the worst case as a share of what is allowed: which gate is nearest to its margin
    is_worse_inside: bool = False  # it passed, and is measurably worse all the same
    is_same: bool = False  # both sides have the same figure


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckView:
    """One validity condition."""

    title: str
    word: str
    icon: str
    tone: Tone
    evidence: str
    consequence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateView:
    """One gate as a table row, with what the terminal and Markdown need."""

    id: str
    title: str
    word: str
    icon: str
    tone: Tone
    role: str  # required, informative
    reason: str
    evidence: tuple[str, ...]
    reference: Cell
    candidate: Cell
    effect: Cell
    worst_case: Cell
    allowed: str
    n: str
    noise: Cell = Cell(text="")  # the same between the reference and itself
    level: str = "95\u00a0%"  # one-sided, of the worst case


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A plot as data, its text alternative, its numbers to download."""

    id: str
    title: str
    description: str
    plot: Plot
    csv: str
    caption: str = ""  # under the title: how to read it


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A figure that there is no data for, and why."""

    id: str
    title: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelsView:
    """Every level of load, and how requests arrived."""

    lede: str
    tables: tuple[Table, ...]
    readings: tuple[Fact, ...]  # per side: where throughput stops growing
    figure: Figure | None
    tails: tuple[Figure, ...]  # distributions, a panel per level
    is_paired: bool  # two rows per level, one of each side
    lines: tuple[str, ...]  # for the terminal, the longest first


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstOffView:
    """Single prompts and a group of them that got worse."""

    sentence: str
    note: str  # what tests of this size can show at all
    prompts: Table | None  # None: none stands out


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerView:
    """A distinct answer of one side."""

    count: str
    text: Excerpt
    tool_calls: tuple[str, ...] = ()
    n_more_calls: int = 0
    outcome: str = ""  # of its checks and tool trials; empty: nothing judged it
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class SideAnswers:
    """A side's distinct answers to one prompt."""

    arm: str
    name: str
    summary: str
    answers: tuple[AnswerView, ...]
    n_more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptCell:
    """A figure of a prompt's summary line; `sort` None sorts last."""

    key: str
    label: str
    text: str
    sort: float | None
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptView:
    """One prompt: a summary line that opens to the evidence."""

    id: str
    anchor: str
    category: str
    tags: tuple[str, ...]
    intent: str
    asked: Excerpt
    asked_note: str  # what the prompt sends before it
    cells: tuple[PromptCell, ...]
    figures: Table
    sides: tuple[SideAnswers, ...]
    difference: Difference | None
    difference_note: str
    agreements: Table | None  # by every way of comparing that applies
    agreement_note: str
    paths: Table | None
    checks: Table | None
    tools: Table | None
    failures: Table | None
    flags: tuple[Flag, ...] = ()
    sdk: Table | None = None  # None: no response of it was replayed
    requests: tuple[RequestView, ...] = ()  # one of each side in full
    instants: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A failure or finding kind with its remedy."""

    title: str  # in words
    kind: str  # as files write it
    side: str
    arm: str
    count: str
    example: str
    advice: str
    prompts: tuple[str, ...] = ()
    n_more_prompts: int = 0
    whose: str = ""  # at whom a failure points


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionView:
    """A metric as the catalogue defines it."""

    id: str
    title: str
    formula: str
    unit: str
    direction: str
    undefined: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Facts under one heading of the manifest."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """An entry of the contents: anchor, heading, template."""

    id: str
    title: str
    badge: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """One line of the cut-over checklist."""

    title: str
    word: str
    icon: str
    tone: Tone
    evidence: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistView:
    """What is left to do before an application moves."""

    name: str
    sentence: str
    items: tuple[ItemView, ...]
    changes: tuple[str, ...]
    source: str
    errors: Table | None = None  # None: the error contract was not probed on both sides


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """Everything a page, a comment or a terminal block says about one case."""

    title: str
    run_id: str
    started_at: str
    sections: tuple[Section, ...]
    sides: tuple[SideLabel, ...]
    is_comparison: bool
    certificate: CertificateView
    verdict: VerdictView
    headlines: tuple[Headline, ...]
    facts: tuple[Fact, ...]
    validity: tuple[CheckView, ...]
    gates: tuple[GateView, ...]
    forest: Figure | None
    tails: tuple[Table, ...]
    more_tails: tuple[Table, ...]  # of metrics that no gate looks at
    figures: tuple[Figure, ...]  # distributions
    withheld: tuple[Withheld, ...]  # distributions without a value
    paired: tuple[Figure, ...]  # candidate over reference, prompt by prompt
    overtime: Figure | Withheld  # the run over its clock
    throughput: Table | None
    levels: LevelsView | None  # None: one level of a closed loop
    counted: str  # what counts of requests count; empty: nothing but the judged level was sent
    answers: tuple[Table, ...]
    answers_note: str  # where no check says what is right
    tools: tuple[Table, ...]
    structured: Table | None
    prompts: tuple[PromptView, ...]
    economics: Table | None
    tokens: Table | None
    tokens_note: str  # context guards, worked out
    failures: tuple[Card, ...]
    findings: tuple[Card, ...]
    instrument: tuple[Table, ...]
    endpoints: Table
    manifest: tuple[Group, ...]
    reproduce: tuple[Fact, ...]
    definitions: tuple[DefinitionView, ...]
    failure_line: str
    next_step: str
    identity: str = ""  # whether the sides answer alike, apart from the verdict
    identity_line: str = ""  # the same for the terminal
    worst_off: WorstOffView | None = None  # None: one endpoint alone
    divergence: Figure | None = None  # None: nothing to compare by position
    loops: Table | None = None  # None: no prompt says what a tool returns
    streaming: tuple[Table, ...] = ()  # empty: nothing was asked for unstreamed
    checklist: ChecklistView | None = None  # None: nobody asked for one
    gate_rows: tuple[Headline, ...] = ()  # for the terminal: what is required, and what failed
    bodies: Table | None = None  # None: the two request bodies were not compared
    attempts: tuple[Table, ...] = ()  # empty: nothing failed
    cold: "ColdView | None" = None  # None: nothing slept, and nobody said that it could
    timeouts: "TimeoutsView | None" = None  # None: nothing succeeded
