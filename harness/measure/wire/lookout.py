"""Finds when a response last brought output, without holding the reads up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from harness.measure.wire.clockmap import ClockMap
from harness.measure.wire.intake import Intake
from harness.measure.wire.stamps import reads_of
from harness.model.record import Reads

_GLANCE_READS, _GLANCE_BYTES = 32, 32_768  # a quarter of a millisecond to decode
_BARE_HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look at a response showed."""

    at_ns: int | None  # when output came; None for none
    is_last: bool  # False: more may have come that this look could not see


class Lookout:
    """One exchange's view back over what arrived."""

    def __init__(
        self,
        intake: Intake,
        last_output_at: Callable[[bytes, Reads], int | None],
        clock_map: ClockMap,
        began_at_ns: int,
    ) -> None:
        """Look at nothing yet."""
        self._intake = intake
        self._last_output_at = last_output_at
        self._clock_map = clock_map
        self._began_at_ns = began_at_ns

    def glance(self) -> Sighting:
        """Look at the last few reads only: output among them shows that the stream lived then, or later.

        They are decoded as if the close ended their body. The lines between chunks are then fields without a meaning,
        and an event cut by one, or compressed, is missed: so nothing is concluded from its absence.
        """
        self._clock_map.pair()  # a wall clock set back since would make the last output look old
        first = self._first_of_last_few()
        at_ns = self._decoded(first, len(self._intake.pieces))
        return Sighting(at_ns, is_last=first == 0)

    async def look(self) -> Sighting:
        """Look at everything that has arrived, beside the loop: a long stream takes a tenth of a second to decode."""
        n_reads = len(self._intake.pieces)
        loop = asyncio.get_running_loop()
        return Sighting(await loop.run_in_executor(None, self._decoded, 0, n_reads), is_last=True)

    def _first_of_last_few(self) -> int:
        pieces = self._intake.pieces
        first, n_bytes = len(pieces), 0
        while first > 0 and len(pieces) - first < _GLANCE_READS and n_bytes < _GLANCE_BYTES:
            first -= 1
            n_bytes += len(pieces[first])
        return first

    def _decoded(self, first: int, end: int) -> int | None:
        if first == end:
            return None
        intake = self._intake
        pieces = intake.pieces[first:end]
        if first > 0:
            pieces[0] = _BARE_HEAD + pieces[0]
        reads = reads_of(
            [len(piece) for piece in pieces],
            intake.seen_at_ns[first:end],
            intake.ancillary[first:end],
            self._clock_map,
            self._began_at_ns,
        )
        return self._last_output_at(b"".join(pieces), reads)
