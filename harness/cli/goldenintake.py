"""Takes golden prompts out of a foreign file and counts aloud what was changed, left out or not taken."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import msgspec

from harness.analysis.goldenchecks import judgeable_part
from harness.cli.goldensummary import listed
from harness.errors import ConfigError
from harness.model.foreign.assemble import implied_checks
from harness.model.foreign.draft import Draft, Item, Skipped, canonical_json
from harness.model.golden import Prompt

_MOST_SHOWN = 20


@dataclass(slots=True, kw_only=True)
class Intake:
    """What happened to the items of one file so far."""

    n_items: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    first_skipped: dict[str, str] = field(default_factory=dict)  # reason -> place
    changes: Counter[str] = field(default_factory=Counter)
    unsupported: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def drafts(self, items: Iterable[Item], *, refuses_responses: bool) -> Iterator[Draft]:
        """Give the drafts whose requests can be judged; count the rest by reason."""
        problem_of = _request_problems()
        for item in items:
            self.n_items += 1
            if isinstance(item, Skipped):
                if item.is_responses and refuses_responses:
                    raise _responses_refused(item)
                self._skip(item.reason, item.where)
                self.unsupported.update(item.unsupported)
            elif (problem := problem_of(item)) is not None:
                self._skip(problem, item.where)
                self.unsupported.update(item.unsupported)
                self.unsupported.update(f"{check.kind} of a skipped test" for check in item.checks)
            else:
                yield item

    def count(self, draft: Draft) -> None:
        """Count what a draft that is taken says about itself."""
        self.changes.update(draft.changes)
        self.unsupported.update(draft.unsupported)
        self.changes.update(f"{check.kind} check added from response_format" for check in implied_checks(draft))

    def judgeable(self, prompts: Iterable[Prompt]) -> Iterator[Prompt]:
        """Give the prompts without the checks and examples that could not stand."""
        for prompt in prompts:
            part = judgeable_part(prompt)
            self.left_out.update(part.dropped)
            if part.prompt is not None:
                yield part.prompt

    def lines(self) -> list[str]:
        """Say what was changed, skipped and not taken, nothing of it silently."""
        n_unsupported = self.unsupported.total()
        noun = "assertion" if n_unsupported == 1 else "assertions"
        head = [f"{n_unsupported} {noun} skipped, unsupported:"] if n_unsupported else []
        return [
            *listed("changed", self._frequent(self.changes)),
            *listed("skipped", self._frequent(self.skipped)),
            *listed("not taken", [*head, *self._frequent(self.unsupported)]),
            *listed("left out", self._frequent(self.left_out)),
        ]

    def _skip(self, reason: str, where: str) -> None:
        self.skipped[reason] += 1
        self.first_skipped.setdefault(reason, where)

    def _frequent(self, counts: Counter[str]) -> Iterator[str]:
        """Give the most frequent of them with their number and, where it is known, their first place."""
        shown = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_SHOWN]
        for words, n in shown:
            place = self.first_skipped.get(words) if counts is self.skipped else None
            yield f"{n}: {words}" + (f" ({'first at ' if n > 1 else ''}{place})" if place else "")
        if len(counts) > _MOST_SHOWN:
            yield f"{counts.total() - sum(n for _, n in shown)}: {len(counts) - _MOST_SHOWN} other kinds"


def _responses_refused(item: Skipped) -> ConfigError:
    return ConfigError(
        f"{item.reason}: the Responses API is not supported",
        where=item.where,
        remedy="Write the requests as bodies of /v1/chat/completions, with messages",
    )


def _request_problems() -> Callable[[Draft], str | None]:
    """Give what finds schemas that do not compile; traffic repeats the same few tools, so each is looked at once."""

    @lru_cache(maxsize=4096)
    def problem_of(schemas: str) -> str | None:
        request = {"messages": [], **msgspec.json.decode(schemas)}
        part = judgeable_part(Prompt(id="p", category="", intent="", request=request))
        return "; ".join(part.dropped) if part.prompt is None else None

    def problem(draft: Draft) -> str | None:
        named = {name: draft.request[name] for name in ("tools", "response_format") if name in draft.request}
        return problem_of(canonical_json(named)) if named else None

    return problem
