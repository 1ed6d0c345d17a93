"""The shipped golden set's examples as canned answers of the mock server aimock."""

import json
from pathlib import Path
from typing import Any

from harness.model.golden import GoldenSet, Prompt


def write_fixtures(file: Path, golden: GoldenSet, *, ttft_ms: float, tokens_per_s: float) -> Path:
    """Write one canned answer per prompt, matched by its last user message."""
    pace = {"ttft": ttft_ms, "tps": tokens_per_s, "jitter": 0}
    fixtures = [_fixture(prompt, pace) for prompt in golden.prompts if prompt.example is not None]
    file.write_text(json.dumps({"fixtures": fixtures}))
    return file


def _fixture(prompt: Prompt, pace: dict[str, Any]) -> dict[str, Any]:
    assert prompt.example is not None
    question = [message["content"] for message in prompt.request["messages"] if message["role"] == "user"][-1]
    calls = [{"name": call.name, "arguments": call.arguments} for call in prompt.example.tool_calls]
    answer = {"toolCalls": calls} if calls else {"content": prompt.example.text}
    return {"match": {"userMessage": question}, "response": answer, "streamingProfile": pace}
