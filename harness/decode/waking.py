"""Whether a failure says that an endpoint wakes, or did not wake in time."""

from harness.model.record import Failure, FailureKind

LOADING_WORDS = ("loading", "waking", "warmingup", "coldstart", "starting", "notready", "scalingup", "hibernat")


def is_loading(failure: Failure | None, *, scales_to_zero: bool = False) -> bool:
    """Whether a 503 says that the model is being loaded; one that scales to zero needs not say so."""
    if failure is None or failure.kind is not FailureKind.UNAVAILABLE:
        return False
    return scales_to_zero or _says_loading(failure)


def is_given_up(failure: Failure | None, *, scales_to_zero: bool = False) -> bool:
    """Whether a gateway gave the wake up: a 504 of an endpoint that scales to zero, or one that speaks of a wake."""
    if failure is None or failure.kind is not FailureKind.GATEWAY_TIMEOUT:
        return False
    return scales_to_zero or "wake" in f"{failure.code} {failure.error_type}".lower()


def _says_loading(failure: Failure) -> bool:
    texts = (failure.code, failure.error_type, failure.message)
    plain = ["".join(filter(str.isalnum, text.lower())) for text in texts if text]
    return any(word in text for word in LOADING_WORDS for text in plain)
