"""Seeded chance: draws depend on the seed, what is asked and how often it was asked before, never on order."""

import hashlib
import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """The draws of one request; each purpose has its own generator, so that one more draw moves no other."""

    seed: int
    content: str  # digest of what is asked
    nth: int  # how often the same was asked before

    def draws(self, purpose: str) -> random.Random:
        """Give the generator of a purpose, always at its start."""
        digest = hashlib.sha256(f"{self.seed}|{self.content}|{self.nth}|{purpose}".encode()).digest()
        return random.Random(digest)  # noqa: S311  # reproducible choices, not secrets
