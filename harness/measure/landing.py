"""A request that was played, and the line of the journal that it becomes."""

from dataclasses import dataclass

from harness.measure.ledger import NOTHING, Spent
from harness.measure.wire.exchange import Exchange, Landed
from harness.model.record import Arm, Attempt, Block, RequestKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What was played for a block, when it should have gone and when it could."""

    arm: Arm
    block: Block
    fingerprint: tuple[str, int]  # the request's digest and size
    intended_at_ns: int
    claimed_at_ns: int
    admitted_at_ns: int
    landed: Landed
    claim: Spent = NOTHING  # what was set aside for it in the budgets
    part: int = 0
    is_possibly_cold: bool = False
    number: int = 1  # of the attempt
    turn: int = 1
    is_streamed: bool = True

    @property
    def key(self) -> RequestKey:
        """Say which request of the plan it is."""
        block = self.block
        return RequestKey(
            arm=self.arm,
            prompt_id=block.prompt_id,
            repeat=block.repeat,
            is_warmup=block.is_warmup,
            level=block.level,
            turn=self.turn,
            is_streamed=self.is_streamed,
        )

    def attempt(self, exchange: Exchange) -> Attempt:
        """Put the record's line together."""
        key, block = self.key, self.block
        sha256, n_bytes = self.fingerprint
        return exchange.attempt(
            key=key,
            attempt=self.number,
            block=block.index,
            part=self.part,
            is_possibly_cold=self.is_possibly_cold,
            request_sha256=sha256,
            request_bytes=n_bytes,
            intended_at_ns=self.intended_at_ns,
            claimed_at_ns=self.claimed_at_ns,
            admitted_at_ns=self.admitted_at_ns,
        )
