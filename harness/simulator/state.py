"""What an endpoint remembers between requests; every answer is a function of the instant given."""

import hashlib
import math
from collections import Counter, deque
from dataclasses import dataclass

from harness.simulator.profile import Cold
from harness.simulator.tokens import count_tokens
from harness.units import NS_PER_S

_MINUTE_NS = 60 * NS_PER_S
_BLOCK = 64  # characters of a prompt that are cached together


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """Where a request stands in the rate limit."""

    is_admitted: bool
    limit: int
    remaining: int
    reset_ns: int  # until the oldest request leaves the window

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """Give the x-ratelimit headers."""
        return (
            ("x-ratelimit-limit-requests", str(self.limit)),
            ("x-ratelimit-remaining-requests", str(self.remaining)),
            ("x-ratelimit-reset-requests", f"{self.reset_ns / NS_PER_S:.3f}s"),
        )

    @property
    def retry_after_s(self) -> int:
        """Give whole seconds until a request is admitted again."""
        return max(1, math.ceil(self.reset_ns / NS_PER_S))


class RateWindow:
    """Admits so many requests in any minute."""

    def __init__(self, limit: int) -> None:
        """Start with an empty window."""
        self._limit = limit
        self._admitted: deque[int] = deque()

    def admit(self, now_ns: int) -> Quota:
        """Count a request, or refuse it without counting."""
        while self._admitted and self._admitted[0] <= now_ns - _MINUTE_NS:
            self._admitted.popleft()
        is_admitted = len(self._admitted) < self._limit
        if is_admitted:
            self._admitted.append(now_ns)
        reset_ns = self._admitted[0] + _MINUTE_NS - now_ns
        remaining = self._limit - len(self._admitted)
        return Quota(is_admitted=is_admitted, limit=self._limit, remaining=remaining, reset_ns=reset_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wake:
    """How long a request waits for the endpoint to wake, and whether it waits in vain."""

    wait_ns: int = 0
    is_capped: bool = False
    is_refused: bool = False


class Sleeper:
    """Sleeps at first and after idle time; the first request wakes it, others wait for the same wake."""

    def __init__(self, cold: Cold) -> None:
        """Start asleep."""
        self._cold = cold
        self._awake_from_ns: int | None = None
        self._last_use_ns = 0
        self._n_wakes = 0

    def ask(self, now_ns: int) -> Wake:
        """Say what a request that arrives now has to wait for."""
        if self._is_asleep(now_ns):
            self._awake_from_ns = now_ns + self._cold.played_ns(self._cold.wake_s)
            self._n_wakes += 1
        self._last_use_ns = max(self._last_use_ns, now_ns)
        wait_ns = max(0, (self._awake_from_ns or 0) - now_ns)
        if wait_ns and self._cold.while_waking == "refuse":
            return Wake(is_refused=True)
        cap_ns = None if self._cold.cap_s is None else self._cold.played_ns(self._cold.cap_s)
        if cap_ns is not None and wait_ns > cap_ns:
            return Wake(wait_ns=cap_ns, is_capped=True)
        return Wake(wait_ns=wait_ns)

    def used(self, now_ns: int) -> None:
        """Note that a response ended: idle time counts from here."""
        self._last_use_ns = max(self._last_use_ns, now_ns)

    def _is_asleep(self, now_ns: int) -> bool:
        most = self._cold.kept_warm_after
        if most is not None and self._n_wakes >= most:
            return False
        if self._awake_from_ns is None:
            return True
        if self._cold.idle_after_s is None:
            return False
        idle_from_ns = max(self._last_use_ns, self._awake_from_ns)
        return now_ns - idle_from_ns > self._cold.played_ns(self._cold.idle_after_s)


class PrefixCache:
    """Remembers the beginnings of prompts, in blocks."""

    def __init__(self) -> None:
        """Start empty."""
        self._seen: set[bytes] = set()

    def cached_tokens(self, prompt: str) -> int:
        """Count the tokens of the longest beginning seen before, and remember this prompt."""
        digest, hit, is_hit = b"", 0, True
        for end in range(_BLOCK, len(prompt) + 1, _BLOCK):
            digest = hashlib.blake2b(digest + prompt[end - _BLOCK : end].encode(), digest_size=16).digest()
            is_hit = is_hit and digest in self._seen
            hit = end if is_hit else hit
            self._seen.add(digest)
        return count_tokens(prompt[:hit])


class Repeats:
    """Counts how often the same was asked."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._counts: Counter[str] = Counter()

    def nth(self, content: str) -> int:
        """Give how often this was asked before, and count it."""
        self._counts[content] += 1
        return self._counts[content] - 1
