"""The suite file: the runs and comparisons of one scheduled run, and what several of them have in common."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from harness.errors import ConfigError
from harness.model.endpoint import Name, NotNegative, Positive
from harness.model.record import Arrival
from harness.model.yamlfile import YamlDocument, convert_document, read_yaml

_PRESETS = ("quick", "certify", "sequential")
_OF_COMPARISONS = ("placebo", *_PRESETS)
_NO_OPTIONS = ("regress", "max_time_s")
_OF_RERUNS = ("settings", "repeats", "seed", "concurrency", "load", "arrival", "max_cost", "isolate", "workers")
File = Annotated[str, Meta(min_length=1)]
_Repeats = Annotated[int, Meta(ge=1, le=1000)]
_Seed = Annotated[int, Meta(ge=0)]
_Slots = Annotated[int, Meta(ge=1, le=4096)]
_Workers = Annotated[int, Meta(ge=1, le=64)]
_Levels = Annotated[list[Positive], Meta(min_length=1, max_length=16)]
_Sides = Annotated[list[File], Meta(min_length=2, max_length=2)]


class Regress(StrEnum):
    """What becomes of a measurement that is entered in the ledger."""

    CHECK = "check"  # against the baseline
    CONFIRM = "confirm"  # and what is suspicious is measured again


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How it is measured: the options of `bench run` and `bench compare` of the same names."""

    golden: Annotated[File | None, Meta(description="Golden set, or a shipped one's name.")] = None
    settings: Annotated[File | None, Meta(description="Settings file: plan, margins and limits.")] = None
    repeats: Annotated[_Repeats | None, Meta(description="Fewest repeats of every prompt.")] = None
    seed: Annotated[_Seed | None, Meta(description="Seed of the order of requests.")] = None
    concurrency: Annotated[_Slots | None, Meta(description="Requests in flight on each side.")] = None
    load: Annotated[
        _Levels | None, Meta(description="Levels of load on each side, as under load: of the settings.")
    ] = None
    arrival: Annotated[Arrival | None, Meta(description="When requests are due.")] = None
    max_cost: Annotated[
        NotNegative | None,
        Meta(description="Most that each may cost; one that may cost more sends nothing."),
    ] = None
    isolate: Annotated[bool | None, Meta(description="Measure each endpoint in a process of its own.")] = None
    workers: Annotated[_Workers | None, Meta(description="Processes per endpoint.")] = None
    probe: Annotated[bool | None, Meta(description="First probe the features that the golden set needs.")] = None
    skip_preflight: Annotated[
        bool | None, Meta(description="Measure although a needed feature is known to be rejected.")
    ] = None
    placebo: Annotated[bool | None, Meta(description="Comparisons: the reference once more, as a third arm.")] = None
    quick: Annotated[bool | None, Meta(description="Comparisons: a screen, 3 repeats and wide margins.")] = None
    certify: Annotated[bool | None, Meta(description="Comparisons: 10 repeats and narrower tails.")] = None
    sequential: Annotated[bool | None, Meta(description="Comparisons: look after 3, 5 and 10 repeats.")] = None
    regress: Annotated[
        Regress | None,
        Meta(description="Whether `bench regress` then checks the run, or also measures again what is suspicious."),
    ] = None
    max_time_s: Annotated[
        Positive | None, Meta(description="Seconds after which it is ended; what it recorded stays.")
    ] = None


class Measurement(Asked, frozen=True, kw_only=True):
    """One run or one comparison."""

    name: Name
    run: Annotated[File | None, Meta(description="The endpoint file to measure.")] = None
    compare: Annotated[_Sides | None, Meta(description="Reference and candidate: endpoint files or recorded runs.")] = (
        None
    )

    @property
    def kind(self) -> str:
        """Name the command."""
        return "run" if self.run is not None else "compare"

    @property
    def sides(self) -> tuple[str, ...]:
        """Give what is measured or compared."""
        return (self.run,) if self.run is not None else tuple(self.compare or ())


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole suite file; its paths are those from its own folder, in which every measurement runs."""

    name: Name
    measurements: Annotated[
        list[Measurement], Meta(min_length=1, max_length=1000, description="Measured in this order.")
    ]
    defaults: Annotated[Asked, Meta(description="What holds for each measurement that does not say otherwise.")] = (
        Asked()
    )
    ledger: Annotated[File | None, Meta(description="Ledger that every measurement is added to.")] = None
    results: Annotated[File, Meta(description="Folder of run folders.")] = "results"
    reports: Annotated[File, Meta(description="Folder of reports.")] = "reports"
    max_time_s: Annotated[
        Positive | None,
        Meta(description="Seconds after which the whole suite ends: what runs then, and the rest."),
    ] = None


def load_suite(file: Path) -> Suite:
    """Read a suite; ConfigError names file, line, value and remedy. What it names is read by whoever measures."""
    document = read_yaml(file)
    suite = convert_document(document, Suite)
    _check_ledger(document, suite)
    seen: set[str] = set()
    for place, measurement in enumerate(suite.measurements):
        _check_measurement(document, place, measurement)
        if measurement.name in seen:
            raise ConfigError(
                f"two measurements are called {measurement.name!r}",
                where=document.where(f"$.measurements[{place}].name"),
                remedy="Rename",
            )
        seen.add(measurement.name)
    return suite


def suite_schema() -> dict[str, Any]:
    """JSON Schema of the suite file, for editors."""
    schema = msgspec.json.schema(Suite)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench suite file", **schema}


def words_of_measurement(suite: Suite, measurement: Measurement, *, folder: Path = Path()) -> list[str]:
    """Give the command that measures a measurement, to be run in the suite's folder."""
    words = ["bench", measurement.kind, *measurement.sides]
    for name, value in _asked(suite, measurement, folder):
        words += _option(name, value)
    if suite.ledger is not None:
        words += ["--ledger", suite.ledger]
    return [*words, "--out", suite.results, "--reports", suite.reports]


def limit_of(suite: Suite, measurement: Measurement) -> float | None:
    """Give the seconds that a measurement may take; None: as long as it needs."""
    return measurement.max_time_s if measurement.max_time_s is not None else suite.defaults.max_time_s


def words_of_check(suite: Suite, measurement: Measurement, run_id: str, *, folder: Path = Path()) -> list[str] | None:
    """Give the command that checks a measurement's run against the baseline; None where none is asked for.

    Against a recorded run a suspicion stays one: that side cannot be measured again.
    """
    asked = measurement.regress or suite.defaults.regress
    if asked is None or suite.ledger is None:
        return None
    words = ["bench", "regress", "--ledger", suite.ledger, "--night", run_id, "--out", suite.results]
    if asked is Regress.CHECK or any(_is_run_folder(folder, side) for side in measurement.sides):
        return words
    options = [
        word
        for name, value in _asked(suite, measurement, folder)
        if name in _OF_RERUNS
        for word in _option(name, value)
    ]
    return [*words, "--confirm", *measurement.sides, *options]


def _asked(suite: Suite, measurement: Measurement, folder: Path) -> Iterator[tuple[str, Any]]:
    """Lay a measurement over the defaults, without those that have no meaning for it."""
    is_preset = any(getattr(measurement, name) for name in _PRESETS)
    is_recorded = any(_is_run_folder(folder, side) for side in measurement.sides)
    for name in Asked.__struct_fields__:
        own, default = getattr(measurement, name), getattr(suite.defaults, name)
        is_void = (
            (measurement.kind == "run" and name in _OF_COMPARISONS)
            or (is_preset and name in (*_PRESETS, "repeats"))
            or (measurement.repeats is not None and name in _PRESETS)  # each says how many repeats
            or (is_recorded and name == "golden")
        )
        value = own if own is not None or is_void else default
        if name not in _NO_OPTIONS and value is not None and value is not False:
            yield name, value


def _is_run_folder(folder: Path, side: str) -> bool:
    """Say whether a side is a recorded run, which holds its own golden set."""
    return any((folder / path).is_dir() for path in (side, side.rpartition(":")[0]) if path)


def _option(name: str, value: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    if value is True:
        return [option]
    return [option, ",".join(f"{level:g}" for level in value) if isinstance(value, list) else str(value)]


def _check_ledger(document: YamlDocument, suite: Suite) -> None:
    is_checked = any(asked.regress is not None for asked in (suite.defaults, *suite.measurements))
    if is_checked and suite.ledger is None:
        raise ConfigError(
            "regress needs a ledger, which holds the baseline", where=document.where("$"), remedy="Give ledger: FILE"
        )


def _check_measurement(document: YamlDocument, place: int, measurement: Measurement) -> None:
    path = f"$.measurements[{place}]"
    if (measurement.run is None) is (measurement.compare is None):
        raise ConfigError(
            f"measurement {measurement.name!r} must be either a run or a comparison",
            where=document.where(path),
            remedy="Give run: a.yml, or compare: [a.yml, b.yml]",
        )
    for side in measurement.sides:
        if side.startswith("-"):
            raise ConfigError(
                f"{side!r} would be read as an option", where=document.where(path), remedy=f"Write ./{side}"
            )
    for name in _OF_COMPARISONS if measurement.kind == "run" else ():
        if getattr(measurement, name) is not None:
            raise ConfigError(
                f"{name} is for comparisons", where=document.where(f"{path}.{name}"), remedy="Leave it out of a run"
            )
