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


def rerun(endpoints: Sequence[str], golden: GoldenSet, given: Mapping[str, Any]) -> Path:
    """Measure these endpoint files on these prompts; give the run folder."""
    from harness.cli.compare import measure_request, request_for  # noqa: PLC0415
    from harness.cli.goldenwriting import write_golden_set  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    given["out"].mkdir(parents=True, exist_ok=True)
    file = given["out"] / f"rerun-{golden.sha256[:12]}.yml"
    write_golden_set(golden, file, ["The suspicious prompts of a nightly run."], may_replace=True)
    arms = (Arm.REFERENCE,) if len(endpoints) == 1 else (Arm.REFERENCE, Arm.CANDIDATE)
    files = dict(zip(arms, endpoints, strict=True))
    loaded = {arm: load_endpoint(Path(name)) for arm, name in files.items()}
    options = {**given, "golden": file, "files": files, "reports": given["out"]}
    return measure_request(request_for(loaded, options, None))


def entry_of_run(folder: Path) -> "LedgerEntry":
    """Judge a run folder and give what its line in a ledger would be; nothing is entered."""
    from harness.cli.judging import judged_run  # noqa: PLC0415  # pandas and scipy load here
    from harness.cli.ledgering import entry_of  # noqa: PLC0415

    return entry_of(judged_run(folder, None), b"")
