"""What a probe is: requests, and a judge over what they brought."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.model.probe import ErrorFacts, ProbeClass
from harness.probes.seen import Seen

BASE_PROMPT = "Reply with the single word: ready"
BASE: Mapping[str, Any] = {
    "messages": [{"role": "user", "content": BASE_PROMPT}],
    "max_tokens": 16,
    "temperature": 0,
}
BUDGETS = ("max_tokens", "max_completion_tokens")
BESIDE = frozenset({*BUDGETS, "temperature"})  # what most requests carry for another field's sake
CONTROL = "control"
_DEADLINE_S = 60.0
_DEADLINE_PER_REQUEST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What of an endpoint a probe's requests depend on."""

    model: str
    window: int | None = None  # context window in tokens, where known
    thinking_tokens: int = 0  # that a reasoning model needs before it says anything: added to budgets


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request of a probe: fields over the base body; a field that is None is left out."""

    label: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    of_target: Callable[[Target], Mapping[str, Any]] | None = None  # fields that hang on the endpoint
    raw: bytes | None = None  # sent in place of a JSON body
    method: str = "POST"
    path: str = "/chat/completions"
    accept_encoding: str = "identity"
    wrong_key: bool = False
    probed: frozenset[str] = frozenset()  # of BESIDE, what the probe is about: sent as written, whatever the file says
    has_exact_budget: bool = False  # the budget's size is what is probed
    trials: int | None = None  # the probe's when absent
    is_burst: bool = False  # sent without a pause between trials, until one is turned away
    n_prompt_tokens: int = 20  # as estimated, for the cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How an endpoint file has requests written."""

    base: Mapping[str, Any] = field(default_factory=lambda: BASE)  # already as the file says
    rename: Mapping[str, str] = field(default_factory=dict)
    drop: frozenset[str] = frozenset()

    @property
    def budgets(self) -> frozenset[str]:
        """Every name that a budget may go under."""
        return frozenset({*BUDGETS, *(self.rename.get(name, name) for name in BUDGETS)})

    def spoken(self, ask: Ask, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Rename and drop what stands beside the feature; the feature itself goes out as written."""
        is_beside = {name: name in BESIDE - ask.probed for name in fields}
        renamed = {name: self.rename.get(name, name) if is_beside[name] else name for name in fields}
        return {
            renamed[name]: value
            for name, value in fields.items()
            if not (is_beside[name] and renamed[name] in self.drop)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A class with its evidence."""

    outcome: ProbeClass
    evidence: str
    notes: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[ErrorFacts, ...] = ()
    decisive: Seen | None = None  # the exchange that was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """All exchanges of one probe."""

    target: Target
    seen: tuple[Seen, ...]

    @property
    def controls(self) -> tuple[Seen, ...]:
        """The requests without the feature."""
        return tuple(seen for seen in self.seen if seen.exchange.is_control)

    @property
    def variants(self) -> tuple[Seen, ...]:
        """The requests with it."""
        return tuple(seen for seen in self.seen if not seen.exchange.is_control)

    def of(self, label: str) -> tuple[Seen, ...]:
        """The trials of one request."""
        return tuple(seen for seen in self.variants if seen.label == label)

    def one(self, label: str) -> Seen:
        """The first trial of one request."""
        return self.of(label)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question about an endpoint."""

    id: str
    number: int
    group: str
    question: str
    asks: tuple[Ask, ...]
    judge: Callable[[Taken], Judged]
    change: str  # what the user's code must change where it is not supported ...
    changes: Mapping[ProbeClass, str] = field(default_factory=dict)  # ... but for a class that asks for something else
    control: Ask | None = Ask(label=CONTROL)
    trials: int = 1
    needs_model: bool = False
    needs_window: bool = False
    needs_key: bool = False  # says nothing of an endpoint that asks for none
    fills_window: bool = False  # its prompt is as long as the window: never sent unless announced with its cost
    judges_refusals: bool = False  # a 4xx is an answer to its question
    judges_turning_away: bool = False  # so is a 401 or a 429
    expects_failure: bool = False  # a failed variant calls for no second control
    feature: str | None = None  # as a golden set's `requires` names it

    @property
    def deadline_s(self) -> float:
        """How long all of its requests may take together, waiting for the rate apart."""
        return _DEADLINE_S + _DEADLINE_PER_REQUEST_S * self.n_requests

    def change_for(self, outcome: ProbeClass) -> str | None:
        """What the user's code must change where this class was found; None where nothing."""
        is_fine = outcome in (ProbeClass.SUPPORTED, ProbeClass.ACCEPTED, ProbeClass.INCONCLUSIVE)
        return None if is_fine else self.changes.get(outcome, self.change)

    def trials_of(self, ask: Ask) -> int:
        """How many times a request goes out."""
        return self.trials if ask.trials is None else ask.trials

    @property
    def n_requests(self) -> int:
        """Requests, control included."""
        return sum(self.trials_of(ask) for ask in self.asks) + (self.control is not None)


def body_of(ask: Ask, target: Target, dialect: Dialect | None = None) -> dict[str, Any]:
    """Put the fields over the base; a budget under one name takes the place of the other's."""
    dialect = dialect or Dialect()
    fields = dialect.spoken(ask, {**ask.fields, **(ask.of_target(target) if ask.of_target else {})})
    budgets = dialect.budgets
    names_budget = any(name in fields for name in budgets)
    kept = {name: value for name, value in dialect.base.items() if not (names_budget and name in budgets)}
    body = {"model": target.model, **kept, **fields}
    if not ask.has_exact_budget:
        body |= {name: body[name] + target.thinking_tokens for name in budgets if isinstance(body.get(name), int)}
    return {name: value for name, value in body.items() if value is not None}
