"""Lengths of time on the command line."""

import math
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import click


class Span(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """A length of time: seconds, or a number with its unit."""

    name = "time"
    _UNITS: ClassVar[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it as seconds; a usage error names what is none."""
        if isinstance(value, float):
            return value
        word = str(value).strip()
        number, unit = (word[:-1], self._UNITS[word[-1]]) if word[-1:] in self._UNITS else (word, 1)
        try:
            found = float(number) * unit
        except ValueError:
            self.fail(f"{word!r} is no time; write 90, 15m or 2h", param, ctx)
        if not 0 < found < math.inf:
            self.fail(f"{word!r} is no time to run in; write one above 0", param, ctx)
        return found


class TimeOfDay(click.ParamType):  # type: ignore[type-arg]  # as above
    """An hour and a minute, as in 03:17."""

    name = "hh:mm"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read it; a usage error for what is no time of a day."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,2}):(\d{2})", str(value))
        hour, minute = (int(found[1]), int(found[2])) if found else (24, 0)
        if hour > 23 or minute > 59:  # noqa: PLR2004  # of a day
            self.fail(f"{value!r} is no time of a day; write 03:17", param, ctx)
        return hour, minute
