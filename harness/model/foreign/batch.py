"""OpenAI Batch files: `{custom_id, method, url, body}` per line; others leave method and url out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.model.foreign.draft import Item, Skipped, draft_of_body, refused_url
from harness.model.golden import GoldenSet
from harness.model.goldentext import json_line
from harness.model.jsonitems import read_json_items

_URL = "/v1/chat/completions"


def read_batch(file: Path) -> Iterator[Item]:
    """Give a draft for each request of chat completions."""
    for item in read_json_items(file):
        yield _item(item.value, f"{file}:{item.line}")


def _item(line: Any, where: str) -> Item:
    if not isinstance(line, dict):
        return Skipped(where=where, reason="not a mapping")
    if "body" not in line:
        return Skipped(where=where, reason="no body")
    url, name, method = line.get("url"), line.get("custom_id"), line.get("method")
    if method is not None and str(method).upper() != "POST":
        return Skipped(where=where, reason=f"method {method!s:.20}, where a chat request is a POST")
    if isinstance(url, str) and (refused := refused_url(url, where=where)) is not None:
        return refused
    return draft_of_body(line["body"], where=where, name=str(name) if isinstance(name, (str, int)) else None)


def batch_jsonl(golden: GoldenSet, model: str | None = None) -> str:
    """Give the file that a batch is made of, the prompts' ids as custom ids."""
    named = {} if model is None else {"model": model}
    return "".join(
        json_line({"custom_id": prompt.id, "method": "POST", "url": _URL, "body": {**named, **prompt.request}})
        for prompt in golden.prompts
    )
