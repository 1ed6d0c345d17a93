"""The files that `bench init` writes: two endpoint files and a first golden set."""

import json
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet, Prompt
from harness.model.record import Arm

FILES = {Arm.REFERENCE: "a.yml", Arm.CANDIDATE: "b.yml"}
GOLDEN = "golden.yml"
SHORT_SET = 20  # prompts: fewer are too few different requests for a gate to rest on
_TIMED = 5  # of them with a measured decode rate, as its gates need
_HEADS = {
    Arm.REFERENCE: "# The reference: where you are.",
    Arm.CANDIDATE: "# The candidate: where you want to go.",
}
_REST = """
# What else may stand here: bench schema endpoint, docs/endpoint-file.md. For example:
# prices: {input_per_mtok: 2.5, output_per_mtok: 10}   # per million tokens; costs are unknown without them
# limits: {concurrency: 4}                             # requests in flight
"""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_MOST_OF_A_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is known of one endpoint."""

    arm: Arm
    base_url: str
    model: str
    variable: str | None  # of the environment, that holds the key; None: no key is sent
    name: str = ""


def endpoint_text(side: Side) -> str:
    """Write an endpoint file; texts are quoted as JSON, which YAML reads alike."""
    lines = [
        _HEADS[side.arm],
        f"name: {json.dumps(side.name)}",
        f"base_url: {json.dumps(side.base_url)}",
        f"model: {json.dumps(side.model, ensure_ascii=False)}",
        *([f"api_key: ${{{side.variable}}}"] if side.variable else ["# api_key: ${NAME_OF_A_VARIABLE}"]),
    ]
    return "\n".join(lines) + _REST


def endpoint_of(side: Side) -> Endpoint:
    """Read the file that would be written, with every check that it will meet."""
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415  # keeps --help light

    with tempfile.TemporaryDirectory(prefix="bench-init-") as folder:
        file = Path(folder) / FILES[side.arm]
        file.write_text(endpoint_text(side), encoding="utf-8")
        try:
            return load_endpoint(file)
        except ConfigError as error:
            raise ConfigError(error.problem, where=f"the {side.arm}", remedy=error.remedy) from None


def names_of(urls: dict[Arm, str], models: dict[Arm, str]) -> dict[Arm, str]:
    """Name the endpoints by what tells them apart: their models, else their hosts, else their sides."""
    hosts = {arm: urlsplit(url).netloc.rpartition("@")[2] for arm, url in urls.items()}
    last_words = {arm: model.rpartition("/")[2] for arm, model in models.items()}
    for found in (last_words, hosts):
        names = {arm: _NOT_IN_NAMES.sub("-", text).strip("-._")[:_MOST_OF_A_NAME] for arm, text in found.items()}
        if all(names.values()) and len(set(names.values())) == len(names):
            return names
    return {arm: str(arm) for arm in urls}


def first_golden_set(shipped: GoldenSet, *, is_whole: bool) -> GoldenSet:
    """Give the shipped set, or a short one of it that holds something of every category and enough that is timed."""
    prompts = shipped.prompts if is_whole else spread(shipped.prompts, SHORT_SET, n_timed=_TIMED)
    return GoldenSet(name="first" if not is_whole else "mine", version="1", prompts=list(prompts))


def spread(prompts: list[Prompt], n: int, *, n_timed: int = 0) -> list[Prompt]:
    """Take so many timed prompts, then the first of every category, then the second, until there are n.

    They stay in the set's order.
    """
    timed = [place for place, prompt in enumerate(prompts) if prompt.measure.decode][:n_timed]
    rounds: Counter[str] = Counter(prompts[place].category for place in timed)
    ranked = []
    for place, prompt in enumerate(prompts):
        if place not in timed:
            rounds[prompt.category] += 1
            ranked.append((rounds[prompt.category], place))
    chosen = [*timed, *(place for _, place in sorted(ranked))][:n]
    return [prompts[place] for place in sorted(chosen)]
