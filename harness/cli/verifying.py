"""Holds a run folder or an archive against what its recorded bytes give today."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from harness.cli.verified import Difference, Verified, difference_at, ended_words, shown
from harness.errors import ConfigError
from harness.model.bundle import MANIFEST, Manifest, is_archive
from harness.model.storage import load_run

if TYPE_CHECKING:
    from harness.cli.rejudging import Rejudged


def verified(thing: Path, roots: Sequence[Path], today: date) -> Verified:
    """Verify a page, an archive or a run folder, whichever it is."""
    from harness.cli.verifyingpage import page_verified  # noqa: PLC0415

    if thing.is_dir():
        return _of_run(thing, roots)
    if not thing.is_file():
        raise ConfigError("no such page, archive or run folder", where=str(thing), remedy="Give one of them")
    return _of_archive(thing) if is_archive(thing) else page_verified(thing, roots, today)


def _of_run(folder: Path, roots: Sequence[Path]) -> Verified:
    from harness.cli.rejudging import rejudge  # noqa: PLC0415  # pandas and scipy load here

    judged = rejudge(folder, roots)
    if judged.recorded is None:
        raise ConfigError("it holds no verdict.json", where=str(folder), remedy="bench report writes it")
    differences = tuple(_of_summary(judged, str(folder / "verdict.json"), str(folder)))
    return Verified(
        thing=str(folder),
        sentence=ended_words(_summary_words(judged), differences),
        differences=differences,
        notes=(*_copy_notes(judged), *judged.run.notes),
    )


def _of_summary(judged: "Rejudged", place: str, source: str) -> Iterator[Difference]:
    for one in judged.contradictions:
        yield difference_at(one, one.where, place, source)


def _summary_words(judged: "Rejudged") -> str:
    verdict = judged.summary.get("verdict") or "no verdict, one endpoint measured"
    return f"run {judged.run.header.run_id} judged again under definitions {judged.summary['estimators']}: {verdict}"


def _copy_notes(judged: "Rejudged") -> tuple[str, ...]:
    if not judged.run.header.golden.get("redacted_from"):
        return ()
    return ("a redacted copy: outcomes of checks are the original's, and nothing here can show them otherwise",)


def _of_archive(file: Path) -> Verified:
    from harness.model.unbundle import unpack  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="bench-verify-") as name:
        folder = Path(name)
        unpacked = unpack(file, folder)
        manifest = unpacked.manifest
        damage = tuple(_of_digests(file, unpacked.problems)) or tuple(_of_manifest(file, folder, manifest))
        if damage:
            return Verified(thing=str(file), sentence="not what its manifest says; not judged", differences=damage)
        judged, differences = _of_bundled_run(file, folder, manifest)
    words = f"{len(manifest.files)} files with the digests of its manifest; {_summary_words(judged)}"
    notes = _copy_notes(judged)
    if not judged.recorded:
        notes += ("it holds no verdict.json: there is nothing to compare with",)
    return Verified(thing=str(file), sentence=ended_words(words, differences), differences=differences, notes=notes)


def _of_digests(file: Path, problems: Sequence[str]) -> Iterator[Difference]:
    for problem in problems:
        path, _, what = problem.partition(": ")
        yield Difference(number=path, place=str(file), stated=what, source=MANIFEST, given="another file")


def _of_manifest(file: Path, folder: Path, manifest: Manifest) -> Iterator[Difference]:
    """Hold the run's header against what the manifest says of it; a set that cannot be judged is refused."""
    from harness.analysis.goldenchecks import validate_golden_set  # noqa: PLC0415
    from harness.cli.rejudging import recorded_summary  # noqa: PLC0415
    from harness.cli.sides import recorded_side  # noqa: PLC0415
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415

    run = load_run(folder / "runs" / manifest.run_id)
    of_run = recorded_side(run, run.header.arms[0].arm).golden
    recorded = recorded_summary(run.folder)
    golden, header = load_golden_set(folder / "golden.yml"), run.header
    if of_run.redacted_from is None:  # what stands for a check's argument is no argument; outcomes are kept beside it
        validate_golden_set(golden)
    stated = {
        "run_id": (manifest.run_id, header.run_id),
        "plan_sha256": (manifest.plan_sha256, header.plan_sha256),
        "golden_sha256": (manifest.golden_sha256, of_run.sha256),
        "digest of golden.yml": (golden.sha256_as_it_stands, of_run.sha256_as_it_stands),
        "golden set of the plan": (manifest.golden_sha256, header.plan.golden_sha256),
        "definitions": (manifest.definitions, None if recorded is None else recorded.get("estimators")),
    }
    for name, (old, new) in stated.items():
        if old != new:
            yield Difference(
                number=name, place=f"{file}: {MANIFEST}", stated=shown(old), source="the run", given=shown(new)
            )


def _of_bundled_run(file: Path, folder: Path, manifest: Manifest) -> "tuple[Rejudged, tuple[Difference, ...]]":
    from harness.cli.rejudging import rejudge  # noqa: PLC0415

    judged = rejudge(folder / "runs" / manifest.run_id)
    return judged, tuple(_of_summary(judged, f"{file}: verdict.json", f"run {manifest.run_id}"))
