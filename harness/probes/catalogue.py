"""Every probe, and what a selection of them costs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from harness.errors import ConfigError
from harness.model.endpoint import Prices
from harness.probes import core, errors, messages, sampling, structured, toolcalls
from harness.probes.probe import Ask, Dialect, Probe, Target, body_of

PROBES: tuple[Probe, ...] = tuple(
    sorted(
        (*core.PROBES, *sampling.PROBES, *structured.PROBES, *toolcalls.PROBES, *messages.PROBES, *errors.PROBES),
        key=lambda probe: probe.number,
    )
)
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(probe.group for probe in PROBES))
_MILLION = 1_000_000
_CHARACTERS = 4  # a token, roughly
_CHAT = "/chat/completions"
_RATE_LIMIT = "error_rate_limit"


_MOST_TOKENS = 4096  # of an answer whose budget is beyond any window, or that has none


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCost:
    """What probes may take at most: every answer as long as its budget."""

    n_requests: int
    prompt_tokens: int
    max_completion_tokens: int
    n_repeated: int = 0  # probes that are asked several times, since they hang on the model's choice
    n_unbounded: int = 0  # requests without a budget, as the endpoint file drops it: counted as _MOST_TOKENS each
    price: float | None = None  # None: the endpoint file has no prices
    currency: str | None = None
    unknown: tuple[str, ...] = ()  # probes left out of the count: their prompts are as long as a window not yet known


def chosen(groups: Sequence[str] = (), ids: Sequence[str] = (), *, burst: int | None = None) -> tuple[Probe, ...]:
    """Select probes by group or id, all when neither is given; a burst of so many requests looks for the rate limit."""
    _refuse_unknown("group", groups, GROUPS)
    _refuse_unknown("probe", ids, [probe.id for probe in PROBES])
    is_all = not groups and not ids
    found = [probe for probe in PROBES if is_all or probe.id in ids or probe.group in groups]
    if burst is None:
        return tuple(found)
    limited = errors.provoking(next(probe for probe in PROBES if probe.id == _RATE_LIMIT), burst)
    return (*(probe for probe in found if probe.id != _RATE_LIMIT), limited)  # last: it uses the quota up


def probes_for(features: Iterable[str]) -> tuple[Probe, ...]:
    """Select the probes that answer a golden set's `requires`."""
    wanted = set(features)
    return tuple(probe for probe in PROBES if probe.feature in wanted)


def estimate_cost(
    probes: Sequence[Probe], target: Target, prices: Prices | None = None, dialect: Dialect | None = None
) -> ProbeCost:
    """Estimate before anything is sent, by the bodies as the endpoint file has them; four characters are a token.

    A control is sent once for all probes and again after a variant that failed: at most once for each, and once more.
    """
    dialect = dialect or Dialect()
    unknown = tuple(probe.id for probe in probes if probe.fills_window and target.window is None)
    sent = [probe for probe in probes if probe.id not in unknown]
    asks = [(ask, probe.trials_of(ask)) for probe in sent for ask in probe.asks]
    controls = [probe.control for probe in sent if probe.control is not None]
    asks += [(control, 1) for control in (*controls, *controls[:1])]
    if target.window is None and any(probe.needs_window for probe in sent):
        asks.append((Ask(label="window", method="GET", path="/models"), 1))
    bodies = [(ask, times, body_of(ask, target, dialect)) for ask, times in asks]
    n_requests = sum(times for _, times, _ in bodies)
    n_prompt = sum(times * max(ask.n_prompt_tokens, _n_prompt(body)) for ask, times, body in bodies)
    posts = [(times, body, _budget(body, dialect)) for ask, times, body in bodies if _is_answered(ask)]
    n_completion = sum(times * _n_choices(body) * (budget or _MOST_TOKENS) for times, body, budget in posts)
    return ProbeCost(
        n_requests=n_requests,
        prompt_tokens=n_prompt,
        max_completion_tokens=n_completion,
        n_repeated=sum(probe.needs_model for probe in sent),
        n_unbounded=sum(times for times, _, budget in posts if budget is None),
        price=None if prices is None else _price(prices, n_requests, n_prompt, n_completion),
        currency=prices.currency if prices else None,
        unknown=unknown,
    )


def _is_answered(ask: Ask) -> bool:
    return ask.method == "POST" and ask.path == _CHAT


def _n_prompt(body: Mapping[str, Any]) -> int:
    return len(str(body.get("messages", ""))) // _CHARACTERS


def _budget(body: Mapping[str, Any], dialect: Dialect) -> int | None:
    """Tokens that an answer may have, under whatever name; a budget beyond the window is no answer's length."""
    found = [body[name] for name in dialect.budgets if isinstance(body.get(name), int)]
    return min(*found, _MOST_TOKENS) if found else None


def _n_choices(body: Mapping[str, Any]) -> int:
    n = body.get("n")
    return n if isinstance(n, int) else 1


def _price(prices: Prices, n_requests: int, n_prompt: int, n_completion: int) -> float:
    tokens = n_prompt * prices.input_per_mtok + n_completion * prices.output_per_mtok
    return tokens / _MILLION + n_requests * prices.per_request


def _refuse_unknown(kind: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"Did you mean {near[0]!r}? " if near else ""
            raise ConfigError(f"unknown {kind} {name!r}", remedy=f"{meant}Known: {', '.join(known)}")
