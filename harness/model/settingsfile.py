"""Loads a settings file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import ConfigError
from harness.model.record import Arrival
from harness.model.servicelevels import read_slo, slo_id
from harness.model.settings import ArrivalSettings, PlanSettings, RatioGate, Settings
from harness.model.yamlfile import YamlDocument, convert_document, read_yaml

MOST_IN_FLIGHT = 4096
MOST_LEVELS = 16
LEAST_RATE = 0.001  # a request in a quarter of an hour


def load_settings(file: Path) -> Settings:
    """Read plan, margins and limits; ConfigError names file, line, value and remedy."""
    document = read_yaml(file)
    settings = convert_document(document, Settings)
    _check_ratio_margins(document, settings)
    _check_limits(document, settings)
    check_load(settings, document.where)
    return settings


def check_load(settings: Settings, where: Callable[[str], str | None] = lambda _: None) -> None:
    """Refuse a load that means nothing or has no effect: `where` finds a path's line, where there is a file."""
    if len(settings.load) > MOST_LEVELS:
        raise ConfigError(
            f"{len(settings.load)} levels of load, more than {MOST_LEVELS}", where=where("$.load"), remedy="Give fewer"
        )
    _refuse_without_effect(settings, where)
    if settings.arrival.process is Arrival.CLOSED:
        _check_slots(settings, where)
    else:
        _check_rates(settings, where)


def _refuse_without_effect(settings: Settings, where: Callable[[str], str | None]) -> None:
    is_closed = settings.arrival.process is Arrival.CLOSED
    if is_closed and settings.arrival.max_in_flight != ArrivalSettings().max_in_flight:
        raise ConfigError(
            "max_in_flight has no effect in a closed loop, whose load is what is in flight",
            where=where("$.arrival.max_in_flight"),
            remedy="Leave it out, or give load: [requests in flight]",
        )
    if not is_closed and settings.plan.look_ahead != PlanSettings().look_ahead:
        raise ConfigError(
            "look_ahead has no effect in an open loop, where both sides are sent each request at its instant",
            where=where("$.plan.look_ahead"),
            remedy="Leave it out",
        )


def _check_slots(settings: Settings, where: Callable[[str], str | None]) -> None:
    for position, level in enumerate(settings.load):
        if level != int(level) or level > MOST_IN_FLIGHT:
            raise ConfigError(
                f"{level:g} is no level of a closed loop: it counts requests in flight, up to {MOST_IN_FLIGHT}",
                where=where(f"$.load[{position}]"),
                remedy="Give whole numbers, or arrival: {process: poisson} for a rate",
            )


def _check_rates(settings: Settings, where: Callable[[str], str | None]) -> None:
    if not settings.load:
        raise ConfigError(
            f"an open loop ({settings.arrival.process}) needs a rate",
            where=where("$.arrival.process"),
            remedy="Give load: [requests per second on each side]",
        )
    for position, rate in enumerate(settings.load):
        if rate < LEAST_RATE:
            raise ConfigError(
                f"{rate:g} requests per second is less than {LEAST_RATE:g}",
                where=where(f"$.load[{position}]"),
                remedy="Give a rate at which the run ends",
            )


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings file, for editors."""
    schema = msgspec.json.schema(Settings)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench settings file", **schema}


def _check_limits(document: YamlDocument, settings: Settings) -> None:
    """Refuse a limit that cannot be read, and one that is there twice."""
    seen: set[str] = set()
    for position, written in enumerate(settings.verdict.slo):
        where = document.where(f"$.verdict.slo[{position}]")
        name = slo_id(read_slo(written, where))
        if name in seen:
            raise ConfigError(f"{name} is listed twice", where=where, remedy="Leave one out")
        seen.add(name)


def _check_ratio_margins(document: YamlDocument, settings: Settings) -> None:
    """A latency may grow, a rate may fall: a margin on the wrong side of 1 would turn the gate round."""
    for name in settings.verdict.__struct_fields__:
        gate = getattr(settings.verdict, name)
        if not isinstance(gate, RatioGate):
            continue
        is_rate = name.startswith("decode_")
        if (gate.margin >= 1) if is_rate else (gate.margin <= 1):
            raise ConfigError(
                f"margin of {name} is a ratio {'below' if is_rate else 'above'} 1 (found {gate.margin})",
                where=document.where(f"$.verdict.{name}.margin"),
            )
