"""How each side fares at each level of load, level 0 being the one that is judged."""

from collections import Counter
from collections.abc import Mapping, Sequence

from harness.analysis.certificate import certify
from harness.analysis.frames import GAP, gap_frame, trial_frame
from harness.analysis.instrument import side_instrument
from harness.analysis.load import Load, achieved_load, scheduled_rate, side_loads
from harness.analysis.responsecache import cached_answers, repeated_ids
from harness.analysis.results.case import Case
from harness.analysis.results.estimates import Tail
from harness.analysis.results.instrument import Certificate, Instrument, TimingVerdict
from harness.analysis.results.levels import LevelRow
from harness.analysis.tails import tails
from harness.analysis.throughput import side_throughput
from harness.analysis.trials import JudgedRecord, at_level
from harness.analysis.words import listed
from harness.model.record import Arm

SHOWN = ("ttft", "ttft_from_intended", "e2e", "e2e_effective", "decode_rate", GAP)


def level_rows(
    case: Case, judged: Mapping[Arm, Sequence[JudgedRecord]], instrument: Sequence[Instrument]
) -> tuple[LevelRow, ...]:
    """Give a row per level and side, level by level; `instrument` is that of level 0.

    A level that nothing was sent at has its row too.
    """
    first = {one.arm: one for one in instrument}
    sides = {side.arm: side for side in (case.reference, case.candidate) if side is not None}
    loads = {arm: side_loads(case, sides[arm]) for arm in judged}
    everything = [item for found in judged.values() for item in found]
    rows: list[LevelRow] = []
    for level in range(max(map(len, loads.values()), default=0)):
        frames = trial_frame(everything, case.golden, level=level), gap_frame(everything, level=level)
        found = tails(*frames, tuple(judged), SHOWN)  # both sides at once: their quantiles mean the same
        rows += [
            _row(
                items,
                loads[arm][level],
                side_instrument(case, sides[arm], items, level=level) if level else first[arm],
                [tail for tail in found if tail.arm is arm],
            )
            for arm, items in judged.items()
            if level < len(loads[arm])
        ]
    return tuple(rows)


def _row(items: Sequence[JudgedRecord], load: Load, instrument: Instrument, found: Sequence[Tail]) -> LevelRow:
    sent = [item.record for item in items if item.record.key.level == load.level and not item.record.key.is_warmup]
    counted = at_level(items, load.level)
    failures = Counter(item.trial.failure for item in counted if item.trial.failure is not None)
    certificate = certify((instrument,))
    return LevelRow(
        arm=instrument.arm,
        level=load.level,
        arrival=load.arrival,
        asked=load.asked,
        scheduled=scheduled_rate(sent, load),
        achieved=achieved_load(sent, load),
        n=len(counted),
        n_failed=sum(failures.values()),
        failures=dict(failures.most_common()),
        n_set_aside=len(sent) - len(counted),
        tails=tuple(found),
        throughput=side_throughput(instrument.arm, items, load),
        instrument=instrument,
        timing=certificate.verdict,
        notes=(*_void(certificate), *_doubts(items, load.level)) if load.level else (),
    )


def _void(certificate: Certificate) -> list[str]:
    if certificate.verdict is not TimingVerdict.VOID:
        return []
    return [f"timings are void at this level: {'; '.join(certificate.reasons)}"]


def _doubts(items: Sequence[JudgedRecord], level: int) -> tuple[str, ...]:
    """Say what the validity checks would say of a level that they do not look at."""
    here = at_level(items, level)
    cached = cached_answers([item.trial for item in here])
    return (*_ids_of_before(items, level), *cached, *_other_models(items, here))


def _ids_of_before(items: Sequence[JudgedRecord], level: int) -> list[str]:
    """Name response ids of this level that came again, here or after a level before it."""
    until_here = [item.record for earlier in range(level + 1) for item in at_level(items, earlier)]
    ids = {record.response_id for record in until_here if record.key.level == level}
    return repeated_ids([record for record in until_here if record.response_id in ids])


def _other_models(items: Sequence[JudgedRecord], here: Sequence[JudgedRecord]) -> list[str]:
    judged = _models(at_level(items, 0))
    others = _models(here) - judged
    return (
        [f"the reported model was {listed(sorted(others))}, not {listed(sorted(judged))}"] if others and judged else []
    )


def _models(items: Sequence[JudgedRecord]) -> set[str]:
    return {item.record.model_reported for item in items if item.record.model_reported is not None}
