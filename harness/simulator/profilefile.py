"""Loads a profile and checks the names in it."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from harness.errors import ConfigError
from harness.model.yamlfile import YamlDocument, convert_document, read_yaml
from harness.simulator.degradations import DEGRADATIONS
from harness.simulator.faults.table import FAULTS
from harness.simulator.features import NAMES
from harness.simulator.profile import Profile

_MOST_NAMES = 20  # in a message


def load_profile(file: Path) -> Profile:
    """Read a profile; ConfigError names file, line, value and remedy."""
    document = read_yaml(file)
    profile = convert_document(document, Profile)
    for position, rule in enumerate(profile.degradations):
        for place, name in enumerate(rule.one_of):
            _check_name(document, f"$.degradations[{position}].one_of[{place}]", name, DEGRADATIONS)
    for position, fault in enumerate(profile.faults):
        _check_name(document, f"$.faults[{position}].fault", fault.fault, FAULTS)
    for name in profile.features or {}:
        if name not in NAMES:
            raise ConfigError(
                f"unknown feature {name!r}",
                where=document.where("$.features"),
                remedy=f"Known: {', '.join(sorted(NAMES))}",
            )
    return profile


def expected_key(profile: Profile, environ: Mapping[str, str] = os.environ) -> str | None:
    """Resolve the reference to the key that the endpoint expects."""
    if profile.api_key is None:
        return None
    name = profile.api_key[2:-1]
    if not environ.get(name):
        raise ConfigError(
            f"the environment variable {name} is not set",
            where=f"profile {profile.name} (api_key)",
            remedy=f"export {name}=...; client and simulator must agree on it",
        )
    return environ[name]


def _check_name(document: YamlDocument, path: str, name: str, table: Mapping[str, object]) -> None:
    if name not in table:
        kind = "degradation" if table is DEGRADATIONS else "fault"
        near = get_close_matches(name, table, n=_MOST_NAMES, cutoff=0.4) or sorted(table)[:_MOST_NAMES]
        raise ConfigError(
            f"unknown {kind} {name!r}",
            where=document.where(path),
            remedy=f"There are {', '.join(near)} and others: see docs/simulator.md",
        )
