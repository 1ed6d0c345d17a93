"""How long to wait for an endpoint that wakes, and when to ask it again: one request at a time, up to its cap."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.decode.ratelimits import asked_of
from harness.decode.waking import is_given_up, is_loading
from harness.measure.wire.exchange import TimeLimits
from harness.model.endpoint import Cold, Endpoint
from harness.model.record import Failure, FailureKind

DEFAULT_CAP_S = 600.0  # of an endpoint that scales to zero, where nobody states cold.cap_s
UNDECLARED_CAP_S = 60.0  # of any other: a server that has just been started may still load its model
ALLOWANCE_S = 60.0  # beyond the cap: the provider's own word that it gave up is to be heard
_RETRY_FRACTION = 1 / 20  # of the cap, before the one retry that follows a 504: half a minute of ten
_POLL_FRACTION = 1 / 60  # of the cap, between two requests that are refused while a model loads
_SHORTEST_PAUSE_S = 0.05
_SILENT = (FailureKind.TIMEOUT_FIRST_OUTPUT, FailureKind.TIMEOUT_TOTAL)


def cap_of(cold: Cold) -> float:
    """Give the time after which the provider gives a wake up; how long to wait for one that nobody said may sleep."""
    if cold.cap_s is not None:
        return cold.cap_s
    return DEFAULT_CAP_S if cold.scales_to_zero else UNDECLARED_CAP_S


def what_wakes(endpoint: Endpoint) -> str:
    """Name what one request wakes, by address and model: two arms may be the same."""
    return f"{endpoint.base_url.rstrip('/')} {endpoint.model}"


def waking_limits(limits: TimeLimits, cold: Cold) -> TimeLimits:
    """Let the first output come later than the cap; what follows it has the time that it had.

    A stated total may lie below the first output's limit: then what follows has all of it.
    """
    first_s = max(limits.first_output_s, cap_of(cold) + ALLOWANCE_S)
    rest_s = limits.total_s - limits.first_output_s
    return replace(limits, first_output_s=first_s, total_s=first_s + (rest_s if rest_s > 0 else limits.total_s))


@dataclass(slots=True, kw_only=True)
class Wait:
    """One wait for a wake: what was answered so far decides whether another request is sent."""

    cold: Cold
    n_capped: int = 0

    def pause_s(self, failure: Failure | None, headers: Mapping[str, str], elapsed_s: float) -> float | None:
        """Give the pause before the next request; None where there is none: it answered, failed or was given up.

        Refused while a model loads: again until the cap has passed. A wake that the provider gave up: once again.
        """
        cap_s = cap_of(self.cold)
        asked_s = asked_of(headers).wait_s
        if self.is_given_up(failure):
            self.n_capped += 1
            pause_s = cap_s * _RETRY_FRACTION
            return pause_s if self.n_capped == 1 else None
        if self.is_loading(failure):
            most_s = cap_s * _RETRY_FRACTION
            pause_s = min(most_s, cap_s * _POLL_FRACTION if asked_s is None else asked_s)
            pause_s = max(_SHORTEST_PAUSE_S, pause_s)
            return pause_s if elapsed_s + pause_s < cap_s else None
        return None

    def is_loading(self, failure: Failure | None) -> bool:
        """Whether it refuses because it wakes."""
        return is_loading(failure, scales_to_zero=self.cold.scales_to_zero)

    def is_given_up(self, failure: Failure | None) -> bool:
        """Whether its provider gave the wake up; a 504 of an endpoint that never sleeps is another matter."""
        return is_given_up(failure, scales_to_zero=self.cold.scales_to_zero)

    def is_in_vain(self, failure: Failure | None) -> bool:
        """Whether the last answer says that it did not wake."""
        is_silent = failure is not None and failure.kind in _SILENT and self.cold.scales_to_zero
        return is_silent or self.is_loading(failure) or self.is_given_up(failure)
