"""When tokens are due, and the distributions behind it."""

import random
import statistics

import pytest

from harness.simulator.chance import Chance
from harness.simulator.profile import Constant, Decode, Lognormal, PrefixCache, SlowTail
from harness.simulator.timing import Pace, draw_pace, draw_rate, draw_ttft_ms
from tests.simulator.deciding import a_profile

MS = 1_000_000


def test_token_k_is_due_at_ttft_plus_k_over_the_rate() -> None:
    pace = Pace(ttft_ns=90 * MS, tokens_per_s=118.9)
    assert pace.due_ns(0) == 90 * MS
    assert pace.due_ns(1189) == 10_090 * MS


def test_jitter_shifts_each_token_around_its_instant_and_never_adds_up() -> None:
    pace = Pace(ttft_ns=0, tokens_per_s=100.0, token_jitter=0.5)
    draws = random.Random(3)
    shifts = [pace.due_ns(k, draws) - k * 10 * MS for k in range(1, 2001)]
    assert max(map(abs, shifts)) <= 2.5 * MS
    assert statistics.pstdev(shifts) == pytest.approx(5 * MS / 12**0.5, rel=0.05)
    assert abs(statistics.mean(shifts)) < 0.1 * MS


def test_the_lognormal_has_its_median_and_spread() -> None:
    draws = random.Random(1)
    drawn = [draw_ttft_ms(Lognormal(median_ms=90.0, sigma=0.2), draws) for _ in range(5000)]
    assert statistics.median(drawn) == pytest.approx(90.0, rel=0.02)
    logs = [statistics.NormalDist().inv_cdf(0.8413), statistics.quantiles(drawn, n=10000)[8412] / 90.0]
    assert logs[0] == pytest.approx(1.0, abs=0.001)
    assert logs[1] == pytest.approx(2.718281828**0.2, rel=0.03)


def test_the_slow_tail_has_its_share_and_factor() -> None:
    draws = random.Random(2)
    tail = SlowTail(median_ms=90.0, sigma=0.0, slow_fraction=0.1, slow_factor=8.0)
    drawn = [draw_ttft_ms(tail, draws) for _ in range(5000)]
    assert set(drawn) == {90.0, 720.0}
    assert drawn.count(720.0) == pytest.approx(500, abs=65)  # three standard deviations


def test_a_constant_is_constant() -> None:
    assert draw_ttft_ms(Constant(ms=50.0), random.Random(1)) == 50.0


def test_rates_differ_between_requests_as_told() -> None:
    draws = random.Random(4)
    drawn = [draw_rate(Decode(tokens_per_s=100.0, request_spread=0.1), draws) for _ in range(5000)]
    assert statistics.mean(drawn) == pytest.approx(100.0, abs=0.5)
    assert statistics.stdev(drawn) == pytest.approx(10.0, rel=0.05)
    assert min(drawn) >= 70.0
    assert draw_rate(Decode(tokens_per_s=118.9), draws) == 118.9


def test_prefill_counts_the_prompt_and_the_cache_spares_it() -> None:
    profile = a_profile(prefill_ms_per_1k_tokens=10.0, prefix_cache=PrefixCache(ttft_factor=0.5))
    cold = draw_pace(profile, random.Random(1), prompt_tokens=2000)
    warm = draw_pace(profile, random.Random(1), prompt_tokens=2000, cached_tokens=1000)
    assert cold.ttft_ns == (100 + 20) * MS
    assert warm.ttft_ns == (75 + 10) * MS


def test_draws_depend_on_seed_content_count_and_purpose_alone() -> None:
    base = Chance(seed=1, content="c", nth=0)
    same = Chance(seed=1, content="c", nth=0)
    others = [
        Chance(seed=2, content="c", nth=0),
        Chance(seed=1, content="d", nth=0),
        Chance(seed=1, content="c", nth=1),
    ]
    first = base.draws("ttft").random()
    assert same.draws("ttft").random() == first
    assert base.draws("ttft").random() == first
    assert first not in {other.draws("ttft").random() for other in others} | {base.draws("rate").random()}
