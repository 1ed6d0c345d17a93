"""What a server's own error text says about the name of a parameter."""

import re
from collections.abc import Iterator

# As OpenAI says it: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.
_INSTEAD = re.compile(
    r"['\"`](?P<old>[a-z_][a-z0-9_.]*)['\"`][^'\"`]{0,120}?\buse\s+['\"`](?P<new>[a-z_][a-z0-9_.]*)['\"`]",
    re.IGNORECASE,
)
_LENGTHS = ("max_tokens", "max_completion_tokens")
_REFUSED = re.compile(
    r"unsupported|not supported|unknown|unrecognized|unrecognised|unexpected|extra (?:inputs|fields)|not permitted"
    r"|deprecated|invalid param",
    re.IGNORECASE,
)


def renaming(message: str) -> tuple[str, str] | None:
    """Give the name that a server refuses and the one that it wants; None when its text says neither."""
    if match := _INSTEAD.search(message):
        old, new = match["old"].lower(), match["new"].lower()
        return None if old == new else (old, new)
    if not _REFUSED.search(message):
        return None
    named = [name for name in _LENGTHS if re.search(rf"\b{name}\b", message)]
    if len(named) != 1:
        return None
    other = _LENGTHS[1 - _LENGTHS.index(named[0])]
    return named[0], other


def renaming_advice(messages: Iterator[str] | list[str]) -> str | None:
    """Say what to write into the endpoint file, from the first error text that names a parameter."""
    for message in messages:
        if found := renaming(message):
            old, new = found
            return f"params: {{rename: {{{old}: {new}}}}}"
    return None
