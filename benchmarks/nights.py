"""Error rates of the nightly check over simulated years: `python -m benchmarks.nights [part ...] --years N`."""

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from harness.analysis.changepoints import find_change_points
from harness.analysis.confirmation import rerun_word
from harness.analysis.drift import drift_of
from harness.analysis.intervals import wilson
from harness.analysis.nightlosses import NightLoss, losses_of
from harness.analysis.nightly import judge_at, shift_over
from harness.analysis.nightlyregression import over_metrics
from harness.analysis.nightmetrics import NIGHT_METRICS, loss_of
from harness.analysis.results.nights import MetricNight, Night, NightlyRule, RerunWord

SEED = 20261125
NIGHTS = 365
RULE = NightlyRule()
_Floats = NDArray[np.float64]
_Effects = Callable[[np.random.Generator, int], _Floats]
MISSING, VOID = 0.02, 0.02  # shares of nights
# Standard deviations of the logarithm: from night to night, and within a run.
TIMINGS: Mapping[str, tuple[float, float, float]] = {
    "ttft_p50": (0.4, 0.03, 0.02),
    "ttft_p95": (0.9, 0.06, 0.05),
    "decode_p50": (100.0, 0.02, 0.01),
    "e2e_p50": (3.0, 0.02, 0.01),
    "cost_per_success": (0.004, 0.01, 0.01),
}
# True share, requests, and how many more requests than these a night's share varies like.
RATES: Mapping[str, tuple[float, int, float]] = {
    "request_success": (0.998, 300, 2000),
    "task_success": (0.97, 200, 1000),
    "tool_success": (0.95, 80, 1000),
    "json_validity": (0.99, 80, 2000),
}
# Rates whose nights vary more than a coin's, most of them without a loss: as RATES.
RESTLESS: Sequence[tuple[str, float, int, float]] = (
    ("request_success", 0.998, 300, 2000),
    ("request_success", 0.998, 300, 100),
    ("request_success", 0.998, 300, 30),
    ("request_success", 0.995, 300, 100),
    ("request_success", 0.995, 300, 50),
    ("request_success", 0.99, 300, 50),
    ("task_success", 0.97, 200, 100),
    ("tool_success", 0.95, 80, 50),
)
ODD_SHARES = (0.01, 0.05, 0.2)  # of nights in which a figure that is else always the same is 12 % worse
# Share, requests, weight of rates without a step; without a weight a night is a coin's.
STILL_RATES: Sequence[tuple[float, int, float | None]] = (
    (0.999, 300, None),
    (0.995, 90, None),
    (0.97, 200, None),
    (0.998, 300, 100),
    (0.995, 300, 50),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One metric of one side over a year, and the same as losses."""

    nights: tuple[Night, ...]
    losses: tuple[NightLoss, ...]
    effects: _Floats  # of the night, on the logarithm


def normal(rng: np.random.Generator, n: int) -> _Floats:
    """Independent normal nights."""
    return np.asarray(rng.normal(size=n))


def heavy(rng: np.random.Generator, n: int) -> _Floats:
    """Independent nights with Student's t at 5 degrees of freedom, of the same variance."""
    return np.asarray(rng.standard_t(5, size=n) / np.sqrt(5 / 3))


def clinging(rng: np.random.Generator, n: int) -> _Floats:
    """Give nights of which each keeps 0.3 of the one before."""
    steps: _Floats = rng.normal(size=n) * np.sqrt(1 - 0.3**2)
    for night in range(1, n):
        steps[night] += 0.3 * steps[night - 1]
    return steps


def weekly(rng: np.random.Generator, n: int) -> _Floats:
    """Independent nights on a wave of seven nights that is as large."""
    wave = np.sqrt(2) * np.sin(2 * np.pi * np.arange(n) / 7)
    return np.asarray(normal(rng, n) + wave)


EFFECTS: Mapping[str, _Effects] = {"normal": normal, "t5": heavy, "ar(0.3)": clinging, "weekly": weekly}


def a_year(
    rng: np.random.Generator,
    effects: _Effects = normal,
    *,
    ratio: Mapping[str, _Floats] | None = None,
    n: int = NIGHTS,
    decode_sd: float = TIMINGS["decode_p50"][1],
) -> dict[str, Series]:
    """Draw a year of every metric; `ratio` multiplies a timing, night by night."""
    gaps = rng.choice(3, size=n, p=[1 - MISSING - VOID, MISSING, VOID])
    gaps[0] = 0  # the baseline is a run that was
    timings = {
        name: _timing(rng, name, _spread(name, decode_sd) * effects(rng, n), (ratio or {}).get(name, np.ones(n)), gaps)
        for name in TIMINGS
    }
    return timings | {name: _rate(rng, name, gaps) for name in RATES}


def _spread(name: str, decode_sd: float) -> float:
    return decode_sd if name == "decode_p50" else TIMINGS[name][1]


def _timing(rng: np.random.Generator, name: str, effects: _Floats, ratio: _Floats, gaps: NDArray[np.int64]) -> Series:
    level, _, within = TIMINGS[name]
    shares = np.exp(effects) * ratio
    values = level * shares * np.exp(within * rng.normal(size=effects.size))
    spread = np.exp(1.96 * within)
    nights = tuple(
        Night(
            run_id=str(place),
            at=str(place),
            value=float(value),
            low=float(value / spread),
            high=float(value * spread),
            n=150,
            comparable="same",
            is_valid=not gaps[place],
        )
        for place, value in enumerate(values)
    )
    return Series(nights=nights, losses=losses_of(nights, NIGHT_METRICS[name]), effects=np.log(shares))


def _rate(rng: np.random.Generator, name: str, gaps: NDArray[np.int64]) -> Series:
    return _counted(rng, name, RATES[name], gaps)


def _counted(rng: np.random.Generator, name: str, rate: tuple[float, int, float], gaps: NDArray[np.int64]) -> Series:
    share, n, weight = rate
    counts = rng.binomial(n, rng.beta(share * weight, (1 - share) * weight, size=gaps.size))
    nights = tuple(
        Night(
            run_id=str(place),
            at=str(place),
            value=float(count / n),
            n=n,
            comparable="same",
            is_valid=gaps[place] != 1,  # timings that are void leave the rates
        )
        for place, count in enumerate(counts)
    )
    return Series(nights=nights, losses=losses_of(nights, NIGHT_METRICS[name]), effects=np.zeros(gaps.size))


def check(year: Mapping[str, Series], at: int, baseline: int = 0) -> tuple[MetricNight, ...]:
    """Judge one night of a year."""
    found = [
        judge_at(series.nights, series.losses, (baseline, at), NIGHT_METRICS[name], RULE)
        for name, series in year.items()
    ]
    return over_metrics(found, RULE)


def suspicious(year: Mapping[str, Series], at: int) -> list[str]:
    """Name the suspicious metrics of one night."""
    return [one.metric.id for one in check(year, at) if one.is_suspicious]


def is_confirmed(rng: np.random.Generator, series: Series, name: str, at: int) -> bool:
    """Rerun a timing at once: the night's effect stays, the noise within the run is new."""
    metric = NIGHT_METRICS[name]
    level, _, within = TIMINGS[name]
    value = level * float(np.exp(series.effects[at] + within * rng.normal()))
    before = [loss for loss in series.losses if loss.place <= at]
    again = replace(before[-1], place=at + 1, loss=loss_of(metric, value))
    shift = shift_over([*before, again], 0, metric, RULE, 1)
    return shift is not None and rerun_word(shift, metric) is RerunWord.CONFIRMED


def alerts(rng: np.random.Generator, year: Mapping[str, Series], at: int) -> list[str]:
    """Name the metrics of one night that an immediate rerun confirms; rates are taken to be confirmed."""
    return [name for name in suspicious(year, at) if name in RATES or is_confirmed(rng, year[name], name, at)]


def without_a_change(years: int, seed: int) -> None:
    """Count nights with a suspicion and nights with an alert where nothing changes."""
    print("| nights vary | nights judged | suspicion | alert (95 % bound) | alerts by metric |")
    print("|---|---|---|---|---|")
    for name, effects in EFFECTS.items():
        rng = np.random.default_rng(seed)
        n = n_suspicious = n_alerts = 0
        by_metric: Counter[str] = Counter()
        for _ in range(years):
            year = a_year(rng, effects)
            for at in range(1, NIGHTS):
                n += 1
                if suspicious(year, at):
                    n_suspicious += 1
                    found = alerts(rng, year, at)
                    by_metric.update(found)
                    n_alerts += bool(found)
        bound = wilson(n_alerts, n).high or 0.0
        told = ", ".join(f"{metric} {count}" for metric, count in by_metric.most_common())
        share = f"{100 * n_alerts / n:.2f} % ({100 * bound:.2f} %)"
        print(f"| {name} | {n} | {100 * n_suspicious / n:.2f} % | {share} | {told} |", flush=True)


def restless(years: int, seed: int) -> None:
    """Count suspicions, alone and without a change, of rates that vary more than a coin and of a steady cost."""
    print("| figure | varies | nights | suspicion (95 % bound) |")
    print("|---|---|---|---|")
    gaps = np.zeros(NIGHTS, dtype=np.int64)
    for name, share, n, weight in RESTLESS:
        rng = np.random.default_rng(seed)
        found = [_n_suspicious(name, _counted(rng, name, (share, n, weight), gaps)) for _ in range(years)]
        _tell(f"{name}, {100 * share:g} % of {n}", f"as {weight:g} further requests", sum(found), years)
    for odd in ODD_SHARES:
        rng = np.random.default_rng(seed)
        found = [_n_suspicious("cost_per_success", _mostly_equal(rng, odd)) for _ in range(years)]
        _tell("cost_per_success, always the same", f"12 % higher in {100 * odd:g} % of nights", sum(found), years)


def _tell(figure: str, how: str, n_suspicious: int, years: int) -> None:
    n = years * (NIGHTS - 1)
    bound = wilson(n_suspicious, n).high or 0.0
    print(f"| {figure} | {how} | {n} | {100 * n_suspicious / n:.2f} % ({100 * bound:.2f} %) |", flush=True)


def _mostly_equal(rng: np.random.Generator, odd: float) -> Series:
    values = np.where(rng.random(NIGHTS) < odd, 0.0045, 0.004)
    nights = tuple(
        Night(run_id=str(place), at=str(place), value=float(value), n=300, comparable="same")
        for place, value in enumerate(values)
    )
    return Series(nights=nights, losses=losses_of(nights, NIGHT_METRICS["cost_per_success"]), effects=np.zeros(NIGHTS))


def _n_suspicious(name: str, series: Series) -> int:
    return sum(bool(suspicious({name: series}, at)) for at in range(1, NIGHTS))


def drops(years: int, seed: int) -> None:
    """Count how soon a drop of the decode rate is found, by how many nights there were before it."""
    print("| decode rate | nights before | drops | 1st night | within 2 | within 3 | within 7 |")
    print("|---|---|---|---|---|---|---|")
    for drop in (0.10, 0.07, 0.05):
        for before in (7, 14, 30, 60, 200):
            rng = np.random.default_rng(seed)
            found = [_nights_until(rng, drop, before) for _ in range(10 * years)]
            shares = [sum(nights <= k for nights in found) / len(found) for k in (1, 2, 3, 7)]
            told = " | ".join(f"{100 * share:.0f} %" for share in shares)
            print(f"| -{100 * drop:.0f} % | {before} | {len(found)} | {told} |", flush=True)


def uneven(years: int, seed: int) -> None:
    """Count how soon a drop by 10 % is found after 60 nights, by how much nights vary."""
    print("| sd of nights | drops | 1st night | within 2 | within 3 | within 7 |")
    print("|---|---|---|---|---|---|")
    for decode_sd in (0.01, 0.02, 0.03, 0.04):
        rng = np.random.default_rng(seed)
        found = [_nights_until(rng, 0.10, 60, decode_sd) for _ in range(10 * years)]
        shares = [sum(nights <= k for nights in found) / len(found) for k in (1, 2, 3, 7)]
        told = " | ".join(f"{100 * share:.0f} %" for share in shares)
        print(f"| {100 * decode_sd:.0f} % | {len(found)} | {told} |", flush=True)


def _nights_until(rng: np.random.Generator, drop: float, before: int, decode_sd: float = 0.02) -> int:
    """Count the nights with a run from a drop until its alert; 99 where a week passes."""
    n = before + 12
    ratio = np.where(np.arange(n) < before, 1.0, 1.0 - drop)
    year = a_year(rng, ratio={"decode_p50": ratio}, n=n, decode_sd=decode_sd)
    seen = 0
    for at in range(before, n):
        if not year["decode_p50"].nights[at].is_valid:
            continue
        seen += 1
        if seen > 7:
            break
        if "decode_p50" in alerts(rng, year, at):
            return seen
    return 99


def slow_drift(years: int, seed: int) -> None:
    """Find a decode rate that sinks by 10 % over half a year, from the 30th night on."""
    rng = np.random.default_rng(seed)
    sunk = np.clip((np.arange(NIGHTS) - 30) / 182, 0, 1) * 0.10
    depths = []
    for _ in range(years):
        year = a_year(rng, ratio={"decode_p50": 1 - sunk})
        at = next((at for at in range(30, NIGHTS) if "decode_p50" in alerts(rng, year, at)), None)
        if at is not None:
            depths.append(100 * sunk[at])
    told = f"found in {len(depths)} of {years} years, at a loss of {np.median(depths):.1f} % (median)"
    print(f"slow drift, 10 % in 182 nights: {told}, {max(depths):.1f} % at most", flush=True)


def outages(years: int, seed: int) -> None:
    """Three nights without answers: only request success may speak, and only then."""
    rng = np.random.default_rng(seed)
    during, others, after = 0, 0, Counter[str]()
    for _ in range(years):
        year = {name: _with_outage(name, series, 100, 103) for name, series in a_year(rng).items()}
        for at in range(100, 103):
            names = suspicious(year, at)
            during += "request_success" in names
            others += bool(set(names) - {"request_success"})
        for at in range(103, 131):
            after.update(suspicious(year, at))
    told = f"{during} of {3 * years} nights; another figure in {others}; in the four weeks after"
    print(f"outage of 3 nights: request success suspicious in {told} {dict(after)} of {28 * years} nights", flush=True)


def _with_outage(name: str, series: Series, start: int, end: int) -> Series:
    def changed(place: int, night: Night) -> Night:
        if not start <= place < end:
            return night
        if name == "request_success":
            return replace(night, value=0.0, is_valid=True)
        return replace(night, value=None, is_valid=False, reason="an outage")

    nights = tuple(changed(place, night) for place, night in enumerate(series.nights))
    return replace(series, nights=nights, losses=losses_of(nights, NIGHT_METRICS[name]))


def upgrades(years: int, seed: int) -> None:
    """Other definitions from the 200th night on, and figures that move by a fifth with them."""
    rng = np.random.default_rng(seed)
    n = n_judged = 0
    for _ in range(years):
        ratio = np.where(np.arange(NIGHTS) < 200, 1.0, 0.8)
        year = a_year(rng, ratio={"decode_p50": ratio})
        year = {name: _upgraded(name, series, 200) for name, series in year.items()}
        for at in range(200, NIGHTS):
            n += 1
            n_judged += any(one.shift is not None for one in check(year, at))
    print(
        f"upgrade of the definitions: {n_judged} of {n} nights after it are compared with the old baseline", flush=True
    )


def _upgraded(name: str, series: Series, start: int) -> Series:
    nights = tuple(
        replace(night, comparable="other") if place >= start else night for place, night in enumerate(series.nights)
    )
    return replace(series, nights=nights, losses=losses_of(nights, NIGHT_METRICS[name]))


def sides(years: int, seed: int) -> None:
    """Attribute steps of the decode rate by 10 % on the 60th night: of one side, of the other, of both."""
    print("| step of | suspicions of the candidate in 14 nights | attributed |")
    print("|---|---|---|")
    for who in ("candidate", "reference", "both"):
        rng = np.random.default_rng(seed)
        n, movers = 0, Counter[str]()
        for _ in range(10 * years):
            n += _attributed(rng, who, movers)
        told = ", ".join(f"{mover} {count}" for mover, count in movers.most_common()) or "-"
        print(f"| {who} | {n} of {10 * years * 14} nights | {told} |", flush=True)


def _attributed(rng: np.random.Generator, who: str, movers: Counter[str]) -> int:
    """Count the nights of two weeks with a suspicious decode rate of the candidate, and who is said to have moved."""
    metric = NIGHT_METRICS["decode_p50"]
    step = np.where(np.arange(74) < 60, 1.0, 0.9)
    ratios = {side: {metric.id: step} if who in {side, "both"} else {} for side in ("candidate", "reference")}
    candidate = a_year(rng, ratio=ratios["candidate"], n=74)
    reference = a_year(rng, ratio=ratios["reference"], n=74)
    n = 0
    for at in range(60, 74):
        found = _decode(candidate, at)
        watched = found if found.is_suspicious else _decode(reference, at)
        n += found.is_suspicious
        if watched.is_suspicious and watched.shift is not None:
            pair = [year[metric.id].nights[: at + 1] for year in (candidate, reference)]
            movers[drift_of(pair[0], pair[1], (0, watched.shift.n_nights), metric, RULE).mover.value] += 1
    return n


def _decode(year: Mapping[str, Series], at: int) -> MetricNight:
    return next(one for one in check(year, at) if one.metric.id == "decode_p50")


def steps(years: int, seed: int) -> None:
    """Count series with a step where there is none, and steps in the middle that are found within two runs."""
    print("| runs | series | a step where none is | 2 sd found | 3 sd found | 4 sd found |")
    print("|---|---|---|---|---|---|")
    for n in (10, 14, 30, 100):
        rng = np.random.default_rng(seed)
        series = [rng.normal(size=n) for _ in range(100 * years)]
        false = sum(bool(find_change_points(values.tolist())) for values in series)
        found = [sum(_is_found(values, size) for values in series) for size in (2, 3, 4)]
        told = " | ".join(f"{100 * count / len(series):.1f} %" for count in (false, *found))
        print(f"| {n} | {len(series)} | {told} |", flush=True)


def still_rates(years: int, seed: int) -> None:
    """Count series of a rate with a step where there is none."""
    print("| rate | varies | 14 runs | 30 runs | 90 runs |")
    print("|---|---|---|---|---|")
    for share, n, weight in STILL_RATES:
        told = " | ".join(
            f"{100 * _false_steps(seed, (share, n, weight), runs, 20 * years):.1f} %" for runs in (14, 30, 90)
        )
        how = "as a coin" if weight is None else f"as {weight:g} further requests"
        print(f"| {100 * share:g} % of {n} | {how} | {told} |", flush=True)


def _false_steps(seed: int, rate: tuple[float, int, float | None], runs: int, n_series: int) -> float:
    share, n, weight = rate
    rng = np.random.default_rng(seed)
    n_false = 0
    for _ in range(n_series):
        shares = share if weight is None else rng.beta(share * weight, (1 - share) * weight, size=runs)
        values = rng.binomial(n, shares, size=runs) / n
        n_false += bool(find_change_points(values.tolist(), [n] * runs))
    return n_false / n_series


def _is_found(values: _Floats, size: float) -> bool:
    middle = values.size // 2
    stepped = values + size * (np.arange(values.size) >= middle)
    return any(abs(point.index - middle) <= 2 for point in find_change_points(stepped.tolist()))


PARTS: Mapping[str, Callable[[int, int], None]] = {
    "none": without_a_change,
    "restless": restless,
    "drops": drops,
    "uneven": uneven,
    "drift": slow_drift,
    "outages": outages,
    "upgrades": upgrades,
    "sides": sides,
    "steps": steps,
    "still-rates": still_rates,
}


def main(words: Sequence[str]) -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--years", type=int, default=20)
    parser.add_argument("--seed", type=int, default=SEED)
    given = parser.parse_args(words)
    for part in given.part or PARTS:
        PARTS[part](given.years, given.seed)


if __name__ == "__main__":
    main(sys.argv[1:])
