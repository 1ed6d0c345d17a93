"""Makes the answer of a request: said, stopped, degraded, preceded by reasoning, limited."""

from dataclasses import dataclass

import msgspec

from harness.simulator.answers import AnswerBook
from harness.simulator.chance import Chance
from harness.simulator.degradations import applicable, degrade
from harness.simulator.profile import DegradationRule, Profile, strikes
from harness.simulator.request import ChatRequest
from harness.simulator.utterance import Utterance, limited_to, stopped_at
from harness.simulator.words import seeded_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """An answer and where it comes from."""

    utterance: Utterance
    prompt_id: str | None
    degradations: list[str]


class Speaker:
    """Speaks as a profile says, from an answer book."""

    def __init__(self, profile: Profile, book: AnswerBook) -> None:
        """Keep the rules."""
        self._profile = profile
        self._book = book
        paraphrase = DegradationRule(one_of=["paraphrase"], rate=profile.paraphrase_rate)
        self._rules = [*profile.degradations, paraphrase]

    def speak(self, request: ChatRequest, chance: Chance) -> Speech:
        """Give the answer as it will be sent."""
        known = self._book.find(request)
        utterance = stopped_at(self._book.utter(request, chance), request.stop)
        utterance, degradations = self._degraded(utterance, request, chance)
        utterance = limited_to(self._thoughtful(utterance, chance), self._limit(request))
        return Speech(utterance=utterance, prompt_id=known.id if known else None, degradations=degradations)

    def _degraded(self, utterance: Utterance, request: ChatRequest, chance: Chance) -> tuple[Utterance, list[str]]:
        names = list(request.wishes.degradations)
        for position, rule in enumerate(self._rules):
            if not strikes(rule.only, is_streamed=request.stream, is_second_turn=request.is_second_turn):
                continue
            draws = chance.draws(f"degradation {position}")
            candidates = applicable(utterance, rule.one_of, request, draws) if draws.random() < rule.rate else []
            names += [draws.choice(candidates)] if candidates else []
        return degrade(utterance, names, request, chance.draws("degrade"))

    def _thoughtful(self, utterance: Utterance, chance: Chance) -> Utterance:
        reasoning = self._profile.reasoning
        if reasoning is None:
            return utterance
        text = seeded_text(chance.draws("reasoning"), reasoning.tokens)
        return msgspec.structs.replace(utterance, reasoning=text)

    def _limit(self, request: ChatRequest) -> int | None:
        """Give the limit in tokens of our own; the request counts in the profile's."""
        if request.max_tokens is None:
            return None
        return max(1, int(request.max_tokens / self._profile.tokenizer_factor))
