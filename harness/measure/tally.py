"""Counts what has landed, for whoever watches a run."""

from dataclasses import dataclass

from harness.model.record import Attempt

_FIRST_ERROR_STATUS = 400


@dataclass(slots=True, kw_only=True)
class Tally:
    """First attempts that are over, and those among them that had failed by then; bodies are judged later."""

    done: int = 0
    failed: int = 0
    retried: int = 0  # attempts beyond the first ones, which `done` counts

    def observe(self, attempt: Attempt) -> None:
        """Count an attempt; no more than that happens on the measuring loop."""
        if attempt.attempt > 1:
            self.retried += 1
            return
        self.done += 1
        self.failed += attempt.failure is not None or (attempt.status or 0) >= _FIRST_ERROR_STATUS
