"""Strikes prompts and what describes them out of a golden set, an endpoint and a header: names and numbers stay."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import ConfigError
from harness.model.golden import Check, CheckKind, GoldenSet, Prompt
from harness.model.record import Arm, ArmHeader, Connection, Failure, Part, RunHeader

REDACTED = "redacted.json"
STRUCK = "(struck out)"
_KEYS = frozenset(
    {
        *("messages", "role", "content", "type", "text", "tools", "tool_choice", "function", "name", "parameters"),
        *("strict", "parallel_tool_calls", "response_format", "json_schema", "schema", "description", "stop", "seed"),
        *("temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "frequency_penalty"),
        *("presence_penalty", "repetition_penalty", "n", "logprobs", "top_logprobs", "logit_bias", "stream"),
        *("stream_options", "include_usage", "reasoning_effort", "verbosity", "service_tier", "tool_calls", "id"),
        *("arguments", "tool_call_id", "refusal", "user", "metadata", "image_url", "url", "input_audio", "data"),
        *("format", "modalities", "store", "ignore_eos", "enable_thinking", "chat_template_kwargs"),
    }
)
_OPAQUE = frozenset({"parameters", "schema", "arguments", "metadata", "logit_bias"})  # texts of the prompt lie below
_WORDS = {
    "role": frozenset({"system", "user", "assistant", "tool", "developer", "function"}),
    "type": frozenset({"text", "function", "json_object", "json_schema", "image_url", "input_audio", "file"}),
    "tool_choice": frozenset({"auto", "none", "required"}),
    "reasoning_effort": frozenset({"none", "minimal", "low", "medium", "high"}),
}
_PLAIN_CHECKS = frozenset(
    {CheckKind.MAX_WORDS, CheckKind.MIN_COMPLETION_TOKENS, CheckKind.PROMPT_TOKENS_RANGE, CheckKind.TOOL_COUNT}
    | {CheckKind.FINISH_REASON}
)


class Redaction(msgspec.Struct, frozen=True, kw_only=True):
    """redacted.json: what a copy lacks, and what the original had come to."""

    verdict: str | None = None  # of the original, under its plan; None: one endpoint was measured
    hides_endpoints: bool = False
    n_damaged: int = 0  # lines or responses of the original that were damaged: left out, as in its own report
    n_without_bytes: int = 0  # responses whose bytes could not be masked in place: only their decoded record stays
    not_judged_again: tuple[str, ...] = (
        "outcomes of checks, tool ladder, JSON and refusals (taken over from the original)",
        "likeness and agreement of answers, JSON paths, identity, divergence",
        "schemas of tool arguments, kinds of broken JSON, streamed against unstreamed answers",
        "what an application on the SDK would have seen",
    )


def redaction_words(redaction: Redaction) -> str:
    """Say what a reader of a redacted copy must know."""
    verdict = "" if redaction.verdict is None else f" The original's verdict was {redaction.verdict}."
    damage = f" {damage_words(redaction).capitalize()}." if redaction.n_damaged else ""
    return (
        "A redacted copy: prompts and answers are struck out, timings and counts are judged from its bytes."
        f"{verdict}{damage} "
        f"Not judged again: {'; '.join(redaction.not_judged_again)}."
    )


def damage_words(redaction: Redaction) -> str:
    """Say how much of the original could not be read; its own report names each."""
    return f"left out as damaged in the original: {redaction.n_damaged}"


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests under a key that is thrown away: equal texts stay equal, and no guess can be tried."""

    key: bytes

    def of(self, text: str) -> str:
        """Give 16 hexadecimal digits."""
        return self._hex(text)[:16]

    def as_long_as(self, text: str) -> str:
        """Give digits in place of an identifier, as many as it has characters."""
        digest = self._hex(text)
        return (digest * (1 + len(text) // len(digest)))[: len(text)]

    def instead_of(self, text: str) -> str:
        """Give what stands for a text that was struck out."""
        return f"[{len(text)} characters, digest {self.of(text)}]"

    def as_wide_as(self, text: str) -> str:
        """Give the same, as wide as the text is when quoted: prompts are grouped by that."""
        width, label = len(repr(text)) - 2, self.instead_of(text)
        return label.ljust(width) if len(label) <= width else self._hex(text)[:width]

    def _hex(self, text: str) -> str:
        return hmac.new(self.key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Striker:
    """What is struck out of one run, and what may stay."""

    digests: Digests
    tool_names: frozenset[str]
    hides_endpoints: bool = False

    def golden(self, golden: GoldenSet) -> GoldenSet:
        """Give the set without its texts; it keeps the digest of what was sent."""
        return msgspec.structs.replace(
            golden, prompts=[self._prompt(prompt) for prompt in golden.prompts], redacted_from=golden.sha256
        )

    def _prompt(self, prompt: Prompt) -> Prompt:
        return msgspec.structs.replace(
            prompt,
            intent=STRUCK,
            request=self.value(prompt.request),
            checks=[self._check(check) for check in prompt.checks],
            tool_results={self._name(name): STRUCK for name in prompt.tool_results},
            final=[self._check(check) for check in prompt.final],
            example=None,
        )

    def _check(self, check: Check) -> Check:
        if check.argument is None or isinstance(check.argument, bool) or check.kind in _PLAIN_CHECKS:
            return check
        if check.kind is CheckKind.TOOL_CALLED:
            return msgspec.structs.replace(check, argument=self._calls(check.argument))
        text = msgspec.json.encode(check.argument).decode()
        return msgspec.structs.replace(check, argument=self.digests.instead_of(text))

    def _calls(self, expected: Any) -> Any:
        """Give which tools are expected, without their arguments."""
        if isinstance(expected, list):
            return [self._calls(one) for one in expected]
        if isinstance(expected, Mapping):
            return {"name": self._name(str(expected.get("name", "")))}
        return self._name(str(expected))

    def _name(self, name: str) -> str:
        return name if name in self.tool_names else self.digests.of(name)

    def value(self, value: Any, key: str | None = None, *, is_opaque: bool = False) -> Any:
        """Give a part of a request with its numbers and known words; every other text and key is a digest."""
        if isinstance(value, Mapping):
            return {
                name if name in _KEYS and not is_opaque else self.digests.of(name): self.value(
                    inner, name, is_opaque=is_opaque or name in _OPAQUE
                )
                for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.value(inner, key, is_opaque=is_opaque) for inner in value]
        if isinstance(value, str):
            is_word = value in _WORDS.get(key or "", ()) or (key == "name" and value in self.tool_names)
            return value if is_word and not is_opaque else self.digests.as_wide_as(value)
        return self.digests.of(repr(value)) if is_opaque and value is not None else value

    def arm(self, header: ArmHeader) -> ArmHeader:
        """Give an arm without words of the prompts in its endpoint; without name and address where those are hidden."""
        endpoint = dict(header.endpoint)
        for section in ("sampling", "extra_body", "params"):
            if endpoint.get(section):
                endpoint[section] = self._parameters(section, endpoint[section])
        if isinstance(tls := endpoint.get("tls"), Mapping):  # files of ours
            endpoint["tls"] = {name: value for name, value in tls.items() if name == "verify"}
        if not isinstance(endpoint.get("api_key"), str):
            endpoint.pop("api_key", None)
        facts = {name: fact for name, fact in header.facts.items() if name == "proxy" or not isinstance(fact, str)}
        if not self.hides_endpoints:
            return replace(header, endpoint=endpoint, facts=facts)
        scheme = str(endpoint.get("base_url", "")).partition(":")[0]
        model = self.digests.as_long_as(str(endpoint.get("model", "")))
        hidden = {"name": header.arm.value, "base_url": f"{scheme}://{header.arm}.invalid/v1", "model": model}
        gone = {"api_key", "headers", "labels"}
        endpoint = {name: value for name, value in endpoint.items() if name not in gone} | hidden
        return replace(header, endpoint=endpoint, facts={name: fact for name, fact in facts.items() if name != "proxy"})

    def _parameters(self, section: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Parameters that are renamed or dropped are names of the contract; what is added may be text."""
        if section != "params":
            return dict(self.value(given))
        return {name: self.value(part) if name == "add" else part for name, part in given.items()}

    def header(self, header: RunHeader, run_id: str) -> RunHeader:
        """Give run.json without texts; plan and digests stay as they were registered."""
        golden = self.golden(msgspec.convert(header.golden, GoldenSet))
        return replace(
            header,
            run_id=run_id,
            command=_command(header.command),
            status_reason=None if header.status_reason is None else STRUCK,
            golden=msgspec.to_builtins(golden),
            arms=tuple(map(self.arm, header.arms)),
            parts=tuple(map(_part, header.parts)),
        )

    def failure(self, failure: Failure | None) -> Failure | None:
        """Give a failure's kind and shape without its words."""
        return None if failure is None else Failure(kind=failure.kind, message=STRUCK, shape=failure.shape)

    def connection(self, connection: Connection | None) -> Connection | None:
        """Give a connection, without whom it was to where that is hidden."""
        return replace(connection, peer=None) if connection is not None and self.hides_endpoints else connection


def _part(part: Part) -> Part:
    return replace(
        part,
        command=_command(part.command),
        status_reason=None if part.status_reason is None else STRUCK,
        notes=tuple(STRUCK for _ in part.notes),
    )


def _command(command: str) -> str:
    """Give the command's name: its arguments are paths and names of ours."""
    return " ".join(command.split()[:2])


def tool_names_of(golden: GoldenSet) -> frozenset[str]:
    """Name the tools that the set offers."""
    tools = (tool for prompt in golden.prompts for tool in prompt.request.get("tools") or ())
    functions = (tool.get("function") for tool in tools if isinstance(tool, Mapping))
    names = (function.get("name") for function in functions if isinstance(function, Mapping))
    return frozenset(name for name in names if isinstance(name, str) and len(name.split()) == 1)


def redacted_run_id(header: RunHeader, *, hides_endpoints: bool) -> str:
    """Name the copy after its run, without the endpoints' names where those are hidden."""
    stamp, _, rest = header.run_id.partition("-")
    names = "-vs-".join(arm.arm for arm in header.arms if arm.arm is not Arm.PLACEBO)
    tail = f"{names}-{rest.rpartition('-')[2]}" if hides_endpoints else rest
    return f"{stamp}-{tail}-redacted"


def read_redaction(folder: Path) -> Redaction:
    """Read redacted.json; what it does not say is not known."""
    try:
        return msgspec.json.decode((folder / REDACTED).read_bytes(), type=Redaction)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Redaction()


def refuse_redacted(folder: Path, header: RunHeader, purpose: str) -> None:
    """Refuse what needs prompts or answers; ConfigError names what does not."""
    if header.golden.get("redacted_from"):
        raise ConfigError(
            f"a redacted copy has no prompts and no answers: it cannot be {purpose}",
            where=str(folder),
            remedy="Use the original, or `bench report` on the copy",
        )
