"""Where a page keeps what was published, and the JSON that it was made from."""

import re
from dataclasses import dataclass

import msgspec

from harness.analysis.results.published import FORMAT, FORMAT_VERSION, Publication
from harness.errors import ConfigError, DamagedFileError
from harness.model.storage import UNREADABLE

END = "<!-- /bench:throughput -->"
_BEGIN = re.compile(r"<!-- bench:throughput(?P<attributes>[^\n]*?) ?-->")
_DATA = re.compile(r' data="(?P<file>[^"/\\]+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a page has its block."""

    before: str
    block: str  # with both markers
    after: str
    data: str | None  # the JSON that the block names; None: nothing was published yet


def find_place(page: str, where: str) -> Place:
    """Find the one block of a page, whose lines end in LF; ConfigError for none, half a one, or two."""
    begins = list(_BEGIN.finditer(page))
    if len(begins) != 1 or page.count(END) != 1 or page.index(END) < begins[0].end():
        raise ConfigError(
            f"the page has {len(begins)} marker(s) <!-- bench:throughput --> and {page.count(END)} {END}",
            where=where,
            remedy=f"Write one line <!-- bench:throughput --> and below it one line {END}",
        )
    start, end = begins[0].start(), page.index(END) + len(END)
    data = _DATA.search(begins[0]["attributes"])
    return Place(before=page[:start], block=page[start:end], after=page[end:], data=data["file"] if data else None)


def new_page() -> str:
    """Give a page around an empty block."""
    return (
        "# Throughput\n\nDecode rates as measured. `bench verify` on this page recomputes each from its recorded "
        f"run.\n\n<!-- bench:throughput -->\n{END}\n"
    )


def encode_publication(publication: Publication) -> bytes:
    """Give the JSON, keys sorted, indented for readers."""
    return msgspec.json.format(msgspec.json.encode(publication, order="sorted"), indent=1) + b"\n"


def decode_publication(content: bytes, where: str) -> Publication:
    """Read the JSON; ConfigError where it is newer or another program's, DamagedFileError where it is broken."""
    try:
        head = msgspec.json.decode(content, type=_Head)
        if head.format != FORMAT or head.format_version > FORMAT_VERSION:
            raise ConfigError(
                f"{head.format or 'no'} format {head.format_version}, and this bench reads {FORMAT} {FORMAT_VERSION}",
                where=where,
                remedy="Name another page, or upgrade bench-harness",
            )
        return msgspec.json.decode(content, type=Publication)
    except UNREADABLE as error:
        raise DamagedFileError(f"damaged: {error}", where=where) from None


class _Head(msgspec.Struct, frozen=True):
    """What is read before the rest is known to be ours."""

    format: str = ""
    format_version: int = 1
