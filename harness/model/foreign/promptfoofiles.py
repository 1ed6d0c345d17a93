"""What a promptfoo configuration says of its prompts and of its provider's settings."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.errors import ConfigError
from harness.model.foreign.draft import Skipped
from harness.model.yamlfile import YamlDocument

_FILE = "file://"
_PATH = re.compile(r"[\w./\\ -]+\.(?:txt|md|j2|json|ya?ml|py|[cm]?[jt]s|csv|xlsx?)", re.IGNORECASE)
_READ = frozenset({".txt", ".md", ".j2", ".json", ".yml", ".yaml"})
_RULE = re.compile(r"(?m)^---[ \t]*$")
_OF_A_BODY = frozenset(
    {"temperature", "top_p", "max_tokens", "max_completion_tokens", "presence_penalty", "frequency_penalty", "seed"}
    | {"stop", "tools", "tool_choice", "parallel_tool_calls", "response_format", "reasoning_effort", "logprobs"}
    | {"top_logprobs", "verbosity"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A prompt before its variables are filled in: a text, or the messages of a chat."""

    label: str
    text: str = ""
    messages: list[dict[str, Any]] | None = None
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the first provider adds to every request."""

    body: dict[str, Any]
    remarks: tuple[str, ...] = ()


def read_templates(document: YamlDocument) -> Iterator[Template | Skipped]:
    """Give every prompt; those that a program makes are skipped."""
    written = document.value["prompts"]
    listed = written if isinstance(written, list) else [written]
    for i, prompt in enumerate(listed):
        where = document.where(f"$.prompts[{i}]")
        yield from _templates(prompt, f"prompt {i + 1}", document.file.parent, where)


def _templates(prompt: Any, label: str, folder: Path, where: str) -> Iterator[Template | Skipped]:
    settings: dict[str, Any] = {}
    if isinstance(prompt, dict):
        label = str(prompt.get("label") or label)
        settings = _body_settings(prompt.get("config"))
        prompt = next((prompt[key] for key in ("raw", "file", "id") if isinstance(prompt.get(key), str)), None)
    if not isinstance(prompt, str) or not prompt.strip():
        yield Skipped(where=where, reason="a prompt without text")
    elif prompt.startswith(_FILE) or _PATH.fullmatch(prompt):
        yield from _of_file(prompt.removeprefix(_FILE), label, settings, folder, where)
    else:
        yield _template(prompt, label, settings)


def _of_file(name: str, label: str, settings: dict[str, Any], folder: Path, where: str) -> Iterator[Template | Skipped]:
    file = folder / name
    if file.suffix.lower() not in _READ:
        yield Skipped(where=where, reason=f"a prompt from a program or table ({file.suffix or name})")
        return
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"the prompt file {name!r} cannot be read: {reason}", where=where) from None
    parts = _RULE.split(text) if file.suffix.lower() == ".txt" else [text]
    for part in parts:
        if part.strip():
            yield _template(part.strip(), label, settings)


def _template(text: str, label: str, settings: dict[str, Any]) -> Template:
    messages = _chat(text)
    if messages is not None:
        return Template(label=label, messages=messages, settings=settings)
    return Template(label=label, text=text, settings=settings)


def messages_of_text(text: str) -> list[dict[str, Any]]:
    """Give the chat that a filled-in text spells out, else the text as the user's."""
    return _chat(text) or [{"role": "user", "content": text}]


def _chat(text: str) -> list[dict[str, Any]] | None:
    """Read messages written as JSON or YAML; None for a text that is none."""
    start = text.lstrip()[:1]
    if start not in ("[", "-"):
        return None
    try:
        value = json.loads(text) if start == "[" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError, RecursionError):
        return None
    is_chat = isinstance(value, list) and value and all(isinstance(item, dict) and "role" in item for item in value)
    return value if is_chat else None


def provider_settings(config: Mapping[str, Any]) -> Settings:
    """Give the part of the first provider's config that belongs into a request."""
    providers = config.get("providers") or config.get("targets") or []
    listed = providers if isinstance(providers, list) else [providers]
    described = [provider for provider in listed if isinstance(provider, dict)]
    if not described:
        return Settings(body={})
    first = described[0]
    name, inner = str(first.get("id")), first.get("config")
    if "id" not in first and len(first) == 1:
        name, inner = next(iter(first.items()))
        inner = inner.get("config") if isinstance(inner, dict) else None
    body = _body_settings(inner)
    elsewhere = sorted(set(inner or {}) & _OF_A_BODY - set(body)) if isinstance(inner, dict) else []
    remarks = [f"provider's {key} left out: it stands in another file" for key in elsewhere]
    if body:
        others = f", the first of {len(listed)}" if len(listed) > 1 else ""
        remarks.append(f"settings taken from provider {name}{others}")
    return Settings(body=body, remarks=tuple(remarks))


def _body_settings(config: Any) -> dict[str, Any]:
    if not isinstance(config, dict):
        return {}
    return {key: value for key, value in config.items() if key in _OF_A_BODY and not _is_elsewhere(value)}


def _is_elsewhere(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_FILE)
