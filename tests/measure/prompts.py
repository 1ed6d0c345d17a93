"""Prompts and endpoints for tests of bodies and composed requests."""

from typing import Any

from harness.model.endpoint import Endpoint
from harness.model.golden import Prompt


def a_prompt(**request: Any) -> Prompt:
    """Give a prompt whose request holds this beside a message."""
    messages = [{"role": "user", "content": "hi"}]
    return Prompt(id="p", category="c", intent="i", request={"messages": messages} | request)


def an_endpoint(**given: Any) -> Endpoint:
    """Give an endpoint; a parameter section is a Params."""
    return Endpoint(**({"name": "e", "base_url": "http://127.0.0.1:9/v1", "model": "m"} | given))
