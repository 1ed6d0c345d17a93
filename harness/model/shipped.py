"""Finds what is shipped with the package: the golden sets and the simulator's profiles."""

from pathlib import Path

from harness.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parents[1]
GOLDEN_SETS = ("golden", "extended")
DEFAULT_GOLDEN_SET = GOLDEN_SETS[0]
_PROFILES = _PACKAGE / "simulator" / "profiles"


def shipped_golden_set(name: str = DEFAULT_GOLDEN_SET) -> Path:
    """Give a shipped golden set: beside the package in an installation, in prompts/ in a checkout."""
    places = (_PACKAGE / "shipped" / f"{name}.yml", _PACKAGE.parent / "prompts" / f"{name}.yml")
    for place in places:
        if place.is_file():
            return place
    raise ConfigError("the shipped golden set is missing", where=str(places[0]), remedy="Reinstall, or give --golden")


def golden_set_file(given: Path | None) -> Path:
    """Give the file itself, the shipped set of that name, or the default set where nothing is given."""
    if given is None:
        return shipped_golden_set()
    is_name = str(given) in GOLDEN_SETS and not given.exists()
    return shipped_golden_set(str(given)) if is_name else given


def shipped_profile(name: str) -> Path:
    """Give the file of a shipped profile; ConfigError names those that exist."""
    file = _PROFILES / f"{name}.yml"
    if name in shipped_profile_names():
        return file
    raise ConfigError(
        f"no such file and no shipped profile: {name!r}", remedy=f"Shipped are: {', '.join(shipped_profile_names())}"
    )


def shipped_profile_names() -> list[str]:
    """Give the names of the shipped profiles."""
    return sorted(file.stem for file in _PROFILES.glob("*.yml"))
