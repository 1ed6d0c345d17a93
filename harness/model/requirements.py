"""The words of a golden prompt's `requires`: what each asks probes for."""

from difflib import get_close_matches

# A word that is a probe's id asks for that probe; audio and files are asked for by none.
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "tools": ("tool_auto", "tool_stream"),
    "tool_choice": ("tool_required",),
    "parallel_tool_calls": ("parallel",),
    "json_schema": ("json_schema_enforced", "json_schema_stream"),
    "json_object": ("json_object",),
    "stop": ("stop_string",),
    "vision": ("image",),
    "audio": (),
    "files": (),
    "usage": ("stream_usage", "usage_agreement"),
    "reasoning_effort": ("reasoning",),
    "frequency_penalty": ("penalties",),
    "presence_penalty": ("penalties",),
    **{
        name: (name,)
        for name in (
            *("models", "chat", "stream", "stream_usage", "usage_agreement", "true_streaming", "compression"),
            *("max_tokens", "max_completion_tokens", "budget_overflow", "context_overflow", "stop_string"),
            *("stop_array5", "greedy_repeat", "seed", "temperature", "top_p", "penalties", "n", "logprobs"),
            *("logit_bias", "json_schema_enforced", "json_schema_stream", "schema_keywords", "json_truncated"),
            *("tool_auto", "tool_stream", "tool_stream_parity", "tool_required", "tool_named", "tool_none"),
            *("parallel", "tool_strict", "tool_result", "reasoning", "messages", "image", "unknown_field"),
            *("headers_cache_responses", "error_unknown_model", "error_bad_key", "error_bad_json"),
            *("error_wrong_type", "error_in_stream", "error_over_long", "error_rate_limit"),
        )
    },
}


def requirement_like(word: str) -> str | None:
    """Give the word that may have been meant."""
    return next(iter(get_close_matches(word, sorted(REQUIREMENTS), n=1, cutoff=0.6)), None)
