"""Measures suspicious prompts once more: the same golden set, less the prompts that are not suspected."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import ConfigError
from harness.model.golden import GoldenSet
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.analysis.results.nights import NightlyCheck
    from harness.model.endpoint import Endpoint
    from harness.model.ledger import LedgerEntry


def suspected_prompts(check: "NightlyCheck") -> tuple[str, ...] | None:
    """Give the prompts of all suspicions; None where one of them needs the whole set."""
    from harness.analysis.confirmation import prompts_to_rerun  # noqa: PLC0415  # scipy loads here

    found = [prompts_to_rerun(one) for one in check.suspicions]
    if any(prompts is None for prompts in found):
        return None
    return tuple(dict.fromkeys(prompt for prompts in found for prompt in prompts or ()))


def suspected_set(entry: "LedgerEntry", prompts: Sequence[str] | None, given: Mapping[str, Any]) -> GoldenSet:
    """Give the golden set of a run with these prompts alone; ConfigError where the set is not at hand."""
    golden = _set_of(entry, given)
    if prompts is None:
        return golden
    return msgspec.structs.replace(golden, prompts=[prompt for prompt in golden.prompts if prompt.id in set(prompts)])


def _set_of(entry: "LedgerEntry", given: Mapping[str, Any]) -> GoldenSet:
    """Take the set from the run's own folder where that is there, else the one that is named."""
    from harness.cli.options import resolve_golden  # noqa: PLC0415
    from harness.cli.sides import part_of_header  # noqa: PLC0415
    from harness.model.storage import load_run  # noqa: PLC0415

    folder = given["out"] / entry.run_id
    if given["golden"] is None and folder.is_dir():
        run = load_run(folder)
        return part_of_header(run, run.header.golden, GoldenSet)
    golden = resolve_golden(given["golden"])
    if golden.sha256 != entry.golden_sha256:
        raise ConfigError(
            f"this golden set is not the one that {entry.run_id} replayed",
            where=str(given["golden"] or "the shipped set"),
            remedy=f"Name that one with --golden, or --out the folder that holds {entry.run_id}",
        )
    return golden


def has_recorded_side(entry: "LedgerEntry") -> bool:
    """Whether a side came from an earlier run: it cannot be measured again, and a suspicion stays one."""
    return any(name.endswith(".recorded") for name in entry.parts)


def refuse_others(endpoints: Sequence[str], entry: "LedgerEntry") -> None:
    """Refuse, before anything is sent, endpoint files that are not those of the run: they could confirm nothing."""
    if has_recorded_side(entry):
        raise ConfigError(
            f"a side of {entry.run_id} was recorded earlier, so nothing measured now can confirm it; nothing was sent",
            remedy="Leave --confirm out",
        )
    then, asked = _endpoint_parts(entry.parts), _endpoint_parts(_parts_of(endpoints))
    unlike = [name for name in sorted({*then, *asked}) if then.get(name) != asked.get(name)]
    if unlike:
        name, *others = unlike
        told = f"{name} was {then.get(name, 'not set')}, and {asked.get(name, 'not set')} is given"
        further = f"; other than there, too: {', '.join(others)}" if others else ""
        raise ConfigError(
            f"these endpoints are not those of {entry.run_id}: {told}{further}; nothing was sent",
            remedy="Give the files that it was measured with",
        )


def _endpoint_parts(parts: Mapping[str, str]) -> dict[str, str]:
    """Leave what is said of an endpoint: the set and the load are not in its file."""
    sides = {arm.value for arm in Arm}
    return {name: parts[name] for name in parts if name.partition(".")[0] in sides and not name.endswith(".load")}


def _parts_of(endpoints: Sequence[str]) -> dict[str, str]:
    from harness.analysis.ledgerentry import endpoint_parts  # noqa: PLC0415  # scipy loads here

    return {
        f"{arm.value}.{name}": value
        for arm, endpoint in _loaded(endpoints).items()
        for name, value in endpoint_parts(msgspec.to_builtins(endpoint)).items()
    }


def _loaded(endpoints: Sequence[str]) -> dict[Arm, "Endpoint"]:
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    return {arm: load_endpoint(Path(name)) for arm, name in _by_arm(endpoints).items()}


def _by_arm(endpoints: Sequence[str]) -> dict[Arm, str]:
    return dict(zip((Arm.REFERENCE, Arm.CANDIDATE), endpoints, strict=False))


def rerun(endpoints: Sequence[str], golden: GoldenSet, given: Mapping[str, Any]) -> Path:
    """Measure these endpoint files on these prompts; give the run folder."""
    from harness.cli.compare import measure_request, request_for  # noqa: PLC0415
    from harness.cli.goldenwriting import write_golden_set  # noqa: PLC0415

    given["out"].mkdir(parents=True, exist_ok=True)
    file = given["out"] / f"rerun-{golden.sha256[:12]}.yml"
    write_golden_set(golden, file, ["The suspicious prompts of a nightly run."], may_replace=True)
    options = {**given, "golden": file, "files": _by_arm(endpoints), "reports": given["out"]}
    return measure_request(request_for(_loaded(endpoints), options, None))


def entry_of_run(folder: Path) -> "LedgerEntry":
    """Judge a run folder and give what its line in a ledger would be; nothing is entered."""
    from harness.cli.judging import judged_run  # noqa: PLC0415  # pandas and scipy load here
    from harness.cli.ledgering import entry_of  # noqa: PLC0415

    return entry_of(judged_run(folder, None), b"")
