"""When the tokens of an answer are due."""

import math
import random
from dataclasses import dataclass

from harness.simulator.profile import Constant, Decode, Profile, SlowTail, Ttft
from harness.units import NS_PER_MS, NS_PER_S

_TAIL = 3.0  # draws of a rate stay within three standard deviations


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One request's timing: an absolute schedule, so that lateness never adds up."""

    ttft_ns: int
    tokens_per_s: float
    token_jitter: float = 0.0

    def due_ns(self, k: int, draws: random.Random | None = None) -> int:
        """Instant of token k (0 is the first), in ns after the start."""
        shift = (draws.random() - 0.5) * self.token_jitter if draws and self.token_jitter else 0.0
        return self.ttft_ns + round(max(0.0, k + shift) / self.tokens_per_s * NS_PER_S)


def draw_ttft_ms(ttft: Ttft, draws: random.Random) -> float:
    """Draw a time to first token."""
    if isinstance(ttft, Constant):
        return ttft.ms
    drawn = ttft.median_ms * math.exp(draws.gauss(0.0, ttft.sigma))
    if isinstance(ttft, SlowTail) and draws.random() < ttft.slow_fraction:
        return drawn * ttft.slow_factor
    return drawn


def draw_rate(decode: Decode, draws: random.Random) -> float:
    """Draw a request's decode rate."""
    deviation = max(-_TAIL, min(_TAIL, draws.gauss(0.0, 1.0)))
    return decode.tokens_per_s * (1.0 + decode.request_spread * deviation)


def draw_pace(profile: Profile, draws: random.Random, *, prompt_tokens: int, cached_tokens: int = 0) -> Pace:
    """Draw the timing of one request; cached prompt tokens cost no prefill."""
    ttft_ms = draw_ttft_ms(profile.ttft, draws)
    if profile.prefix_cache and prompt_tokens:
        ttft_ms *= 1.0 - (1.0 - profile.prefix_cache.ttft_factor) * cached_tokens / prompt_tokens
    ttft_ms += profile.prefill_ms_per_1k_tokens * (prompt_tokens - cached_tokens) / 1000.0
    return Pace(
        ttft_ns=round(ttft_ms * NS_PER_MS),
        tokens_per_s=draw_rate(profile.decode, draws),
        token_jitter=profile.decode.token_jitter,
    )
