"""What other tools would have reported from the bytes of a run, beside our own figures."""

from dataclasses import dataclass
from enum import StrEnum

from harness.analysis.results.estimates import Value
from harness.model.record import Arm


class Family(StrEnum):
    """What a group of figures is about, under the name that the tools print."""

    TTFT = "ttft"
    TPOT = "tpot"
    ITL = "itl"
    E2E = "e2e"
    OUTPUT_RATE = "output_tokens_per_s"
    REQUEST_RATE = "requests_per_s"


LATENCIES = (Family.TTFT, Family.TPOT, Family.ITL, Family.E2E)
RATES = (Family.OUTPUT_RATE, Family.REQUEST_RATE)


class Statistic(StrEnum):
    """How one number stands for many."""

    MEAN = "mean"
    MEDIAN = "median"
    P99 = "p99"
    TOTAL = "total"  # a rate of the whole run


@dataclass(frozen=True, slots=True, kw_only=True)
class LensFigure:
    """One figure of one tool; latencies in seconds."""

    family: Family
    statistic: Statistic
    value: Value
    n: int | None = None  # values that it is made of, where the tool pools values
    is_nearest: bool = False  # the tool would use a tokenizer of its own: here with tokens as the server counted them


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolReport:
    """Everything that one tool would have said of one side."""

    tool: str
    source: str  # project and commit that the formulas were read from; empty for our own
    n_counted: int  # requests that it counts as successes
    n_failed: int  # requests that it counts as failed
    figures: tuple[LensFigure, ...]
    why: dict[Family, str]  # in one line, what makes its figure what it is

    def figure(self, family: Family, statistic: Statistic) -> LensFigure:
        """Give one figure."""
        return next(one for one in self.figures if (one.family, one.statistic) == (family, statistic))


@dataclass(frozen=True, slots=True, kw_only=True)
class LensSide:
    """One side of a run through every tool's definitions."""

    arm: Arm
    endpoint: str
    level: int
    n_requests: int  # streams and failures that every tool is shown
    n_left_out: int  # answers that did not come as a stream
    own: ToolReport
    tools: tuple[ToolReport, ...]
