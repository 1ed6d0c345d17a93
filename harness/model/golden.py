"""The golden set: versioned prompts, what a right answer is, and their digest."""

import hashlib
from enum import StrEnum
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from harness.model.chatrequest import response_kind

AtLeastOne = Annotated[int, Meta(ge=1)]
PromptId = Annotated[
    str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="Lower case, digits, dot, dash, underscore.")
]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A section of a file that refuses keys it does not know."""


class CheckKind(StrEnum):
    """The closed set of checks; each but those on tools and the two `no_` ones also exists in a `not-` form."""

    EQUALS = "equals"
    CONTAINS = "contains"
    CONTAINS_ALL = "contains_all"
    CONTAINS_ANY = "contains_any"
    REGEX = "regex"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    JSON_VALID = "json_valid"
    JSON_SCHEMA = "json_schema"
    JSON_PATH = "json_path"
    NUMBER_EQUALS = "number_equals"
    DATE_EQUALS = "date_equals"
    TOOL_CALLED = "tool_called"
    TOOL_COUNT = "tool_count"
    NO_TOOL = "no_tool"
    NO_MARKUP = "no_markup"
    NO_REPLACEMENT_CHAR = "no_replacement_char"
    FINISH_REASON = "finish_reason"
    MAX_WORDS = "max_words"
    MIN_COMPLETION_TOKENS = "min_completion_tokens"
    PROMPT_TOKENS_RANGE = "prompt_tokens_range"


TOOL_CHECKS = frozenset({CheckKind.TOOL_CALLED, CheckKind.TOOL_COUNT, CheckKind.NO_TOOL})
JSON_CHECKS = frozenset({CheckKind.JSON_VALID, CheckKind.JSON_SCHEMA, CheckKind.JSON_PATH})


class Check(_Section, frozen=True, kw_only=True):
    """One expectation of an answer; in the file a mapping of one key: `not-contains: sorry`."""

    kind: CheckKind
    argument: Any = None
    negated: bool = False


class Measure(_Section, frozen=True, kw_only=True):
    """Which timings of a prompt enter the tails."""

    decode: Annotated[bool, Meta(description="Whether its decode rate counts: plain text, fixed length.")] = False
    ttft: Annotated[bool, Meta(description="Whether its time to first token counts.")] = True


class ExampleCall(_Section, frozen=True, kw_only=True):
    """A tool call of an example answer."""

    name: str
    arguments: dict[str, Any] = {}


class Example(_Section, frozen=True, kw_only=True):
    """An answer that passes all checks: proves them satisfiable, and is what the simulator says."""

    text: str | None = None
    tool_calls: list[ExampleCall] = []


class Prompt(_Section, frozen=True, kw_only=True):
    """One golden prompt: a verbatim chat request without a model, with its expectation."""

    id: PromptId
    category: str
    intent: Annotated[str, Meta(description="One sentence: what a change here would break.")]
    request: Annotated[dict[str, Any], Meta(description="Chat body without model and stream.")]
    checks: list[Check] = []
    tool_results: Annotated[
        dict[str, Any],
        Meta(description="Canned result by tool name: the calls are answered with it in a second request."),
    ] = {}
    final: Annotated[
        list[Check], Meta(description="Checks on the second answer, which must use what the tools returned.")
    ] = []
    requires: Annotated[list[str], Meta(description="Features in use: tools, json_schema, stop, ...")] = []
    tags: list[str] = []
    repeats: Annotated[AtLeastOne | None, Meta(description="Repeats of this prompt; the plan's when absent.")] = None
    measure: Measure = Measure()
    example: Example | None = None

    @property
    def is_tool_prompt(self) -> bool:
        """Whether the prompt expects a decision about tools."""
        return any(check.kind in TOOL_CHECKS for check in self.checks)

    @property
    def is_json_prompt(self) -> bool:
        """Whether the prompt expects JSON in its answer."""
        return any(check.kind in JSON_CHECKS and not check.negated for check in self.checks)

    @property
    def has_loop(self) -> bool:
        """Whether its calls are answered with canned results, and the second answer is judged."""
        return bool(self.tool_results and self.final)

    @property
    def is_structured(self) -> bool:
        """Whether servers parse its answer: one with tools or JSON, which they do differently when it is streamed."""
        is_asked_for = bool(self.request.get("tools")) or response_kind(self.request) is not None
        return is_asked_for or self.is_tool_prompt or self.is_json_prompt


class GoldenSet(_Section, frozen=True, kw_only=True):
    """The set as loaded: defaults merged into each request, checks parsed."""

    name: str
    version: str = "1"
    prompts: list[Prompt]
    redacted_from: str | None = None  # digest of the set whose texts were struck out of this one

    def prompt(self, prompt_id: str) -> Prompt:
        """Find a prompt by id; KeyError when absent."""
        return next_or_raise(self.prompts, prompt_id)

    @property
    def sha256(self) -> str:
        """Digest of all that is sent or judged: canonical JSON, order kept, examples left out."""
        return self.sha256_as_it_stands if self.redacted_from is None else self.redacted_from

    @property
    def sha256_as_it_stands(self) -> str:
        """Digest of these texts; of a redacted set, of what stands for them."""
        bare = [msgspec.structs.replace(prompt, example=None) for prompt in self.prompts]
        return hashlib.sha256(msgspec.json.encode(bare, order="sorted")).hexdigest()


def next_or_raise(prompts: list[Prompt], prompt_id: str) -> Prompt:
    """Give the prompt of that id; KeyError names it when absent."""
    for prompt in prompts:
        if prompt.id == prompt_id:
            return prompt
    raise KeyError(prompt_id)
