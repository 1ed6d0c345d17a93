"""What is published of a tier: its figures, with all that they were measured under."""

from dataclasses import dataclass, field
from datetime import datetime

from harness.model.endpoint import Prices
from harness.model.record import Arm

FORMAT = "bench-throughput"
# Format history of the published JSON. 1: first version.
FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedFigure:
    """A median with its interval: never one without the other."""

    value: float
    low: float
    high: float
    level: float
    method: str
    n: int  # requests that it is of
    n_failed: int  # of them: failed


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRow:
    """One tier as it was measured in one run."""

    tier: str
    hardware: str | None
    checkpoint: str | None
    region: str | None
    labels: dict[str, str] = field(default_factory=dict)  # the endpoint file's other ones
    decode: PublishedFigure  # tok/s, one stream
    ttft: PublishedFigure | None  # seconds
    n_prompts: int  # that the decode rate is of
    prompt_tokens_p50: float | None
    completion_tokens_p50: float | None
    host: str  # as called, without credentials, path and query
    model: str
    models_reported: tuple[str, ...]
    endpoint_sha256: str  # of the endpoint file's content, in which keys are references
    golden_name: str
    golden_version: str
    golden_sha256: str
    load: str
    cache: str  # policy
    cached_fraction: float | None  # of the prompt tokens, as usage reports it; None: it does not
    prices: Prices | None  # per million tokens
    validity: str
    instrument: str  # what the timings' certificate says, in a line
    measured_at: str  # ISO 8601, UTC
    run_id: str
    arm: Arm
    folder: str  # of the run, from the page
    bench: str  # version that measured
    definitions: str  # version of the statistical definitions that the figures are under
    plan_sha256: str
    evidence_sha256: str

    def __post_init__(self) -> None:
        """Refuse an instant that is none: an age is counted from it."""
        datetime.fromisoformat(self.measured_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A page's block as data: what its table, its plot and its badges are made from."""

    format: str = FORMAT
    format_version: int = FORMAT_VERSION
    tiers: tuple[str, ...]  # in the table's order; one without a row is not yet measured
    stale: tuple[str, ...] = ()  # tiers marked so on the day of publishing
    stale_after_days: int
    plotted_with: str = ""  # version of the plotting library: another one draws other bytes
    rows: tuple[PublishedRow, ...]

    def row(self, tier: str) -> PublishedRow | None:
        """Find a tier's row; None: not yet measured."""
        return next((row for row in self.rows if row.tier == tier), None)
