"""What a judgement may look at."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.analysis.results.kept import KeptJudgement
from harness.decode.sdk_view import SdkView
from harness.model.golden import GoldenSet
from harness.model.record import Arm, ClientFacts, Plan, Record, RequestKey
from harness.model.redaction import Redaction
from harness.model.settings import Settings
from harness.model.twin import TwinLog


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One side's evidence: the endpoint as configured and its decoded attempts, of one run."""

    arm: Arm
    name: str
    endpoint: Mapping[str, object]
    run_id: str
    records: tuple[Record, ...]
    sdk_views: Mapping[RequestKey, SdkView] = field(default_factory=dict)  # of the responses that were replayed
    sdk_helper_views: Mapping[RequestKey, SdkView] = field(default_factory=dict)  # the same through its stream helper
    was_recorded_earlier: bool = False  # taken from another run than the candidate's
    unfinished: str | None = None  # why its run ended before its plan did; None when it did not
    plan: Plan | None = None  # of its own run; None: the case's
    client: tuple[ClientFacts, ...] = ()  # of the processes that measured it; empty in runs that did not record it
    clock: Mapping[str, object] = field(default_factory=dict)  # facts of its player: stamps, mapping bound, steps
    facts: Mapping[str, object] = field(default_factory=dict)  # what its run's header adds to the endpoint file
    kept: Mapping[RequestKey, KeptJudgement] = field(default_factory=dict)  # of a redacted copy: the original's
    started_at: str | None = None  # of its run, ISO 8601; None where that is not known
    vantage: Mapping[str, str] = field(default_factory=dict)  # from where: host, system, cpu, time zone, a label
    twin: TwinLog | None = None  # replays of its streams from a server with a log; None: no twin was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that a judgement may look at."""

    golden: GoldenSet
    settings: Settings
    plan: Plan | None
    reference: Side
    candidate: Side | None = None  # None: one endpoint measured, nothing to compare
    placebo: Side | None = None  # the reference's endpoint once more, as a third arm; None: not asked for
    look: int = 1  # which look at the run's data this is
    margins_are_from_plan: bool = True  # False: chosen after the data, or the plan itself is in doubt
    plan_matches_digest: bool = True  # False: it is not the plan that was registered, or a version before this wrote it
    redaction: Redaction | None = None  # None: prompts and answers are there
    recorded_timings: bool = False  # whether timings of two runs decide, as the user asked
    n_earlier_verdicts: int = 0  # on the same recorded run and endpoints, before this question was asked
    command: str | None = None  # that measured it, as it was typed
