"""The probe folder: raw evidence first, then what it was judged to be."""

from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from harness.errors import ConfigError, DamagedFileError, IncompleteRunError
from harness.model.probe import PROBE_FORMAT_VERSION, ProbeExchange, ProbeReport
from harness.model.storage import STREAMS, UNREADABLE, read_wire, write_atomically

PROBES = "probes.json"
EXCHANGES = "exchanges.jsonl"
SUFFIX = "-probe"


class ProbeWriter:
    """The journal of one probing: every exchange is on the disk before the next request goes out."""

    def __init__(self, folder: Path) -> None:
        """Create the folder; ConfigError where it exists or cannot be made."""
        self.folder = folder
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise ConfigError(
                f"cannot create the probe folder: {error.strerror}", where=str(folder), remedy="Choose another --out"
            ) from None
        self._lines = (folder / EXCHANGES).open("ab")
        self._streams = (folder / STREAMS).open("ab")
        self._offset = 0
        self.n_exchanges = 0

    def append(self, exchange: ProbeExchange, wire: bytes) -> ProbeExchange:
        """Store an exchange, its bytes before its line."""
        attempt = replace(exchange.attempt, offset=self._offset, length=len(wire))
        placed = replace(exchange, attempt=attempt)
        try:
            self._streams.write(wire)
            self._streams.flush()
            self._lines.write(msgspec.json.encode(placed) + b"\n")
            self._lines.flush()
        except OSError as error:
            raise IncompleteRunError(f"{self.folder}: cannot write the journal: {error.strerror}") from error
        self._offset += len(wire)
        self.n_exchanges += 1
        return placed

    def write_report(self, report: ProbeReport) -> None:
        """Write probes.json anew, as far as the probing got."""
        text = msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"
        write_atomically(self.folder / PROBES, text)

    def __enter__(self) -> Self:
        """Give the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close whatever happened."""
        self._lines.close()
        self._streams.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredProbing:
    """A probe folder as read back."""

    folder: Path
    report: ProbeReport
    exchanges: tuple[ProbeExchange, ...]

    def wire(self, exchange: ProbeExchange) -> bytes:
        """Read one response's raw bytes."""
        return read_wire(self.folder, exchange.attempt)


def load_probing(folder: Path) -> StoredProbing:
    """Read a probe folder; ConfigError when it is none, DamagedFileError when it is broken."""
    report = load_probe_report(folder)
    file = folder / EXCHANGES
    try:
        content = file.read_bytes() if file.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]  # a last line that was torn off is left out
        exchanges = tuple(msgspec.json.decode(line, type=ProbeExchange) for line in whole.splitlines())
    except UNREADABLE as error:
        raise DamagedFileError(f"damaged: {error}", where=str(file)) from None
    return StoredProbing(folder=folder, report=report, exchanges=exchanges)


def load_probe_report(folder: Path) -> ProbeReport:
    """Read probes.json alone, by its folder or by its own name."""
    file = folder if folder.name == PROBES else folder / PROBES
    try:
        report = msgspec.json.decode(file.read_bytes(), type=ProbeReport)
    except OSError as error:
        raise ConfigError(
            f"not a probe folder: {error.strerror}", where=str(file), remedy="Give a folder that bench probe wrote"
        ) from None
    except UNREADABLE as error:
        raise DamagedFileError(f"damaged: {error}", where=str(file)) from None
    if report.format_version > PROBE_FORMAT_VERSION:
        raise ConfigError(
            f"format {report.format_version} is newer than this bench reads ({PROBE_FORMAT_VERSION})",
            where=str(file),
            remedy="Upgrade bench-harness",
        )
    return report


def probe_report_schema() -> dict[str, Any]:
    """JSON Schema of probes.json."""
    schema = msgspec.json.schema(ProbeReport)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench probe report", **schema}
