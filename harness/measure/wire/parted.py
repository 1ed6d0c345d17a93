"""Finds a secret that a server spells over several events, a few characters in each."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate

Span = tuple[int, int]
Search = Callable[[bytes], Iterable[Span]]

# A key and its text, up to the text's end or its line's, so that no part of a body is read twice.
_PAIR = re.compile(rb'"([^"\\\r\n]*+)"\s*+:\s*+"([^"\\\r\n]*+(?:\\.[^"\\\r\n]*+)*+)')


# Where an event of a stream begins, and which of several texts that grow side by side its own belongs to.
_EVENT = b"data:"
_INDEX = re.compile(rb'"index"\s*+:\s*+(\d++)')


def is_parted(body: bytes, search: Search) -> bool:
    """Whether the texts under one key, put together, hold what is searched for."""
    texts = ([body[start:end] for start, end in spans] for spans in _side_by_side(body))
    return any(True for found in (_differing(_texts(body)), texts) for parts in found for _ in search(b"".join(parts)))


def parted_spans(body: bytes, search: Search) -> Iterator[Span]:
    """Where the parts lie in the body."""
    for spans in (*_placed(body).values(), *_side_by_side(body)):
        joined = b"".join(body[start:end] for start, end in spans)
        yield from on_body(search(joined), spans)


def _side_by_side(body: bytes) -> list[list[Span]]:
    """As `_placed`, each choice and each call for itself; nothing where there is only one."""
    spans: defaultdict[tuple[bytes, ...], list[Span]] = defaultdict(list)
    if len(set(_INDEX.findall(body))) > 1:
        for start, end in _events(body):
            numbers = tuple(_INDEX.findall(body, start, end))
            for match in _PAIR.finditer(body, start, end):
                spans[(match[1], *numbers)].append(match.span(2))
    return list(spans.values())


def _events(body: bytes) -> Iterator[Span]:
    start = body.find(_EVENT)
    while start >= 0:
        following = body.find(_EVENT, start + len(_EVENT))
        yield start, len(body) if following < 0 else following
        start = following


def _texts(body: bytes) -> Iterable[list[bytes]]:
    """The values that are text, by key, in the order of the body."""
    texts: defaultdict[bytes, list[bytes]] = defaultdict(list)
    for key, text in _PAIR.findall(body):
        texts[key].append(text)
    return texts.values()


def _differing(texts: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
    """Those that say something: ids and names are the same in every event."""
    return (values for values in texts if len(values) > 1 and len(set(values)) > 1)


def _placed(body: bytes) -> dict[bytes, list[Span]]:
    """As `_texts`, but where they lie."""
    spans: defaultdict[bytes, list[Span]] = defaultdict(list)
    for match in _PAIR.finditer(body):
        spans[match[1]].append(match.span(2))
    return spans


def on_body(found: Iterable[Span], spans: Sequence[Span]) -> Iterator[Span]:
    """Spans of the joined texts as spans of what they were cut from, one for each text they touch."""
    ends = list(accumulate(end - start for start, end in spans))
    for first, last in found:
        for position in range(bisect_right(ends, first), len(spans)):
            start, end = spans[position]
            offset = start - (ends[position] - (end - start))
            if last + offset <= start:
                break
            yield max(first + offset, start), min(last + offset, end)
