"""All answer keys."""

from tests.decode.answerkeys import chunks, fields, framing, toolcalls

KEYS = (*framing.KEYS, *chunks.KEYS, *toolcalls.KEYS, *fields.KEYS)
