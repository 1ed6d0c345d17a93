"""Every probe, and what a selection of them costs."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import ConfigError
from harness.model.endpoint import Prices
from harness.probes import core, errors, messages, sampling, structured, toolcalls
from harness.probes.probe import BASE, BUDGETS, Probe, Target, body_of

PROBES: tuple[Probe, ...] = tuple(
    sorted(
        (*core.PROBES, *sampling.PROBES, *structured.PROBES, *toolcalls.PROBES, *messages.PROBES, *errors.PROBES),
        key=lambda probe: probe.number,
    )
)
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(probe.group for probe in PROBES))
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeCost:
    """What probes may take at most: every answer as long as its budget."""

    n_requests: int
    prompt_tokens: int
    max_completion_tokens: int
    price: float | None = None  # None: the endpoint file has no prices
    currency: str | None = None
    unknown: tuple[str, ...] = ()  # probes left out of the count: their prompts are as long as a window not yet known


def chosen(groups: Sequence[str] = (), ids: Sequence[str] = ()) -> tuple[Probe, ...]:
    """Select probes by group or id; all that need not be asked for by name when neither is given."""
    _refuse_unknown("group", groups, GROUPS)
    _refuse_unknown("probe", ids, [probe.id for probe in PROBES])
    is_all = not groups and not ids
    return tuple(
        probe for probe in PROBES if probe.id in ids or (not probe.only_if_asked and (is_all or probe.group in groups))
    )


def probes_for(features: Iterable[str]) -> tuple[Probe, ...]:
    """Select the probes that answer a golden set's `requires`."""
    wanted = set(features)
    return tuple(probe for probe in PROBES if probe.feature in wanted)


def estimate_cost(probes: Sequence[Probe], target: Target, prices: Prices | None = None) -> ProbeCost:
    """Estimate before anything is sent; four characters of a prompt count as a token."""
    n_prompt = n_completion = n_requests = 0
    unknown = tuple(probe.id for probe in probes if probe.fills_window and target.window is None)
    for probe in probes:
        if probe.id in unknown:
            continue
        for ask in (*probe.asks, *([probe.control] if probe.control else [])):
            times = 1 if ask is probe.control else probe.trials_of(ask)
            body = body_of(ask, target)
            n_requests += times
            n_prompt += times * max(ask.n_prompt_tokens, len(str(body.get("messages", ""))) // 4)
            n_completion += times * _budget(body) if ask.method == "POST" else 0
    return ProbeCost(
        n_requests=n_requests,
        prompt_tokens=n_prompt,
        max_completion_tokens=n_completion,
        price=None if prices is None else _price(prices, n_requests, n_prompt, n_completion),
        currency=prices.currency if prices else None,
        unknown=unknown,
    )


def _budget(body: dict[str, object]) -> int:
    """Tokens that an answer may have; a budget beyond the window is no answer's length."""
    found = next((body[name] for name in BUDGETS if isinstance(body.get(name), int)), BASE["max_tokens"])
    n_choices = body.get("n")
    return min(int(str(found)), 4096) * (n_choices if isinstance(n_choices, int) else 1)


def _price(prices: Prices, n_requests: int, n_prompt: int, n_completion: int) -> float:
    tokens = n_prompt * prices.input_per_mtok + n_completion * prices.output_per_mtok
    return tokens / _MILLION + n_requests * prices.per_request


def _refuse_unknown(kind: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ConfigError(f"unknown {kind} {name!r}", remedy=f"Known: {', '.join(known)}")
