"""Bare request bodies, one per line, as K2-Vendor-Verifier's samples and many gateways' logs hold them."""

from collections.abc import Iterator
from pathlib import Path

from harness.model.foreign.draft import Item, draft_of_body
from harness.model.golden import GoldenSet
from harness.model.goldentext import json_line
from harness.model.jsonitems import read_json_items


def read_bodies(file: Path) -> Iterator[Item]:
    """Give a draft for each body."""
    for item in read_json_items(file):
        yield draft_of_body(item.value, where=f"{file}:{item.line}")


def bodies_jsonl(golden: GoldenSet, model: str | None = None) -> str:
    """Give every request on a line, under a model's name where one is given."""
    named = {} if model is None else {"model": model}
    return "".join(json_line({**named, **prompt.request}) for prompt in golden.prompts)
