"""Loads a settings file."""

from pathlib import Path
from typing import Any

import msgspec

from harness.errors import ConfigError
from harness.model.settings import RatioGate, Settings
from harness.model.yamlfile import YamlDocument, convert_document, read_yaml


def load_settings(file: Path) -> Settings:
    """Read plan, margins and limits; ConfigError names file, line, value and remedy."""
    document = read_yaml(file)
    settings = convert_document(document, Settings)
    _check_ratio_margins(document, settings)
    return settings


def settings_schema() -> dict[str, Any]:
    """JSON Schema of the settings file, for editors."""
    schema = msgspec.json.schema(Settings)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench settings file", **schema}


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
