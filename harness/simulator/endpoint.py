"""The simulated endpoint: decides for each request what goes out and when, without sending anything."""

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.model.golden import GoldenSet
from harness.simulator import refusals
from harness.simulator.answers import AnswerBook
from harness.simulator.apierror import RefusedRequest, bad_request
from harness.simulator.bodies import Headers, error_script
from harness.simulator.chance import Chance
from harness.simulator.degradations import DEGRADATIONS
from harness.simulator.echo import echoed
from harness.simulator.faults.table import AT_ACCEPT, FAULTS
from harness.simulator.featured import FeaturedEndpoint
from harness.simulator.models import models_script
from harness.simulator.profile import Profile, strikes
from harness.simulator.reply import Reply, body_of, usage_of
from harness.simulator.request import ChatRequest, last_user_text, parse_chat_request, prompt_text
from harness.simulator.script import Script
from harness.simulator.speech import Speaker, Speech
from harness.simulator.state import PrefixCache, RateWindow, Repeats, Sleeper, Wake
from harness.simulator.stream import stream_of
from harness.simulator.timing import Pace, draw_pace
from harness.simulator.tokens import count_tokens
from harness.simulator.truth import Said
from harness.simulator.utterance import total_tokens

_CHAT = "/v1/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request as it came off the wire; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do about a request."""

    script: Script
    wait_ns: int = 0  # from arrival to the earliest start
    needs_slot: bool = False
    fault: str | None = None
    said: Said | None = None


class SimulatedEndpoint:
    """Knows its profile, its golden set and what was asked before."""

    def __init__(self, profile: Profile, golden: GoldenSet | None = None, *, key: str | None = None) -> None:
        """Start without memory; ids carry a mark of their own, so that two endpoints never share one."""
        self.profile = profile
        self._key = key
        self._speaker = Speaker(profile, AnswerBook(golden))
        self._mark = secrets.token_hex(3)
        self._repeats = Repeats()
        self._featured = None if profile.features is None else FeaturedEndpoint(profile.model, profile.features)
        self._cache = PrefixCache() if profile.prefix_cache else None
        self._window = RateWindow(profile.rate_limit.requests_per_minute) if profile.rate_limit else None
        self._sleeper = Sleeper(profile.cold) if profile.cold else None

    def request_id(self, number: int) -> str:
        """Give the id of the n-th request."""
        return f"{self._mark}{number:08x}"

    def fault_at_accept(self, connection: int) -> str | None:
        """Draw what goes wrong with a connection before anything is read."""
        chance = Chance(seed=self.profile.seed, content="connection", nth=connection)
        rules = [rule for rule in self.profile.faults if rule.fault in AT_ACCEPT and rule.prompt is None]
        return next((rule.fault for rule in rules if chance.draws(rule.fault).random() < rule.rate), None)

    def ended(self, now_ns: int) -> None:
        """Note the end of a response."""
        if self._sleeper:
            self._sleeper.used(now_ns)

    def decide(self, request: HttpRequest, request_id: str, arrived_at_ns: int) -> Decision:
        """Decide what goes out for a request."""
        decision = self._decide(request, request_id, arrived_at_ns)
        if not self.profile.echo:
            return decision
        return replace(decision, script=echoed(decision.script, request.headers.get("authorization", "")))

    def _decide(self, request: HttpRequest, request_id: str, arrived_at_ns: int) -> Decision:
        headers: Headers = (("x-request-id", f"req_{request_id}"),)
        if self._featured is not None:
            return Decision(script=self._featured.answer(request.path, request.headers, request.body, headers))
        try:
            self._check_key(request)
            if request.path != _CHAT:
                return Decision(script=models_script(request.method, request.path, self.profile.model, headers))
            refusals.check_method(request.method, request.path, "POST")
            chat = parse_chat_request(request.body, request.headers)
            _check_wishes(chat)
            self._check_model(chat.model)
            headers += self._quota_headers(arrived_at_ns)
            wake = self._wake(arrived_at_ns)
        except RefusedRequest as refused:
            return Decision(script=error_script(refused.error, headers))
        if wake.is_capped:
            return Decision(script=error_script(refusals.WAKE_TIMEOUT, headers), wait_ns=wake.wait_ns)
        return self._serve(chat, request_id, headers, wake)

    def _serve(self, chat: ChatRequest, request_id: str, headers: Headers, wake: Wake) -> Decision:
        chance = self._chance(chat)
        speech = self._speaker.speak(chat, chance)
        reply = self._reply(chat, chance, speech, request_id)
        if chat.stream:
            script = stream_of(reply, self.profile, headers, chance.draws("jitter"))
        else:
            script = body_of(reply, self.profile, headers)
        name = self._fault(chat, chance)
        faulty = FAULTS[name].apply(script) if name else script
        return Decision(
            script=faulty,
            wait_ns=wake.wait_ns,
            needs_slot=True,
            fault=name if faulty is not script else None,
            said=self._said(chance, speech, reply),
        )

    def _chance(self, chat: ChatRequest) -> Chance:
        nth = self._repeats.nth(chat.content)
        if chat.wishes.seed is not None:
            return Chance(seed=chat.wishes.seed, content=chat.content, nth=0)
        return Chance(seed=self.profile.seed, content=chat.content, nth=nth)

    def _reply(self, chat: ChatRequest, chance: Chance, speech: Speech, request_id: str) -> Reply:
        prompt = prompt_text(chat)
        prompt_tokens = max(1, count_tokens(prompt))
        cached = min(self._cache.cached_tokens(prompt), prompt_tokens - 1) if self._cache else 0
        pace = draw_pace(self.profile, chance.draws("pace"), prompt_tokens=prompt_tokens, cached_tokens=cached)
        return Reply(
            request_id=request_id,
            created=int(time.time()),
            model=chat.model,
            utterance=speech.utterance,
            pace=_slowed(pace, speech.utterance.ttft_factor),
            prompt_tokens=prompt_tokens,
            cached_tokens=cached,
            include_usage=chat.include_usage,
        )

    def _fault(self, chat: ChatRequest, chance: Chance) -> str | None:
        """Give the fault asked for, else the first of the profile's that strikes."""
        if chat.wishes.fault is not None:
            return chat.wishes.fault
        asked = last_user_text(chat.messages)
        for position, rule in enumerate(self.profile.faults):
            if rule.fault in AT_ACCEPT and rule.prompt is None:
                continue
            is_meant = (rule.prompt is None or rule.prompt in asked) and strikes(
                rule.only, is_streamed=chat.stream, is_second_turn=chat.is_second_turn
            )
            if is_meant and chance.draws(f"fault {position}").random() < rule.rate:
                return rule.fault
        return None

    def _said(self, chance: Chance, speech: Speech, reply: Reply) -> Said:
        return Said(
            prompt_id=speech.prompt_id,
            nth=chance.nth,
            prompt_tokens=reply.prompt_tokens,
            n_tokens=total_tokens(reply.utterance),
            ttft_ns=reply.pace.ttft_ns,
            tokens_per_s=reply.pace.tokens_per_s,
            text=reply.utterance.text,
            tool_calls=[{"name": call.name, "arguments": call.arguments} for call in reply.utterance.calls],
            finish_reason=reply.utterance.finish_reason,
            usage=usage_of(reply, self.profile.tokenizer_factor),
            degradations=speech.degradations,
        )

    def _check_key(self, request: HttpRequest) -> None:
        if self._key is None:
            return
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        if not secrets.compare_digest(given, self._key.encode()):
            raise RefusedRequest(refusals.WRONG_KEY)

    def _check_model(self, model: str) -> None:
        if self.profile.refuses_other_models and model != self.profile.model:
            raise RefusedRequest(refusals.no_such_model(model))

    def _quota_headers(self, now_ns: int) -> Headers:
        if self._window is None:
            return ()
        quota = self._window.admit(now_ns)
        if not quota.is_admitted:
            headers = dict(quota.headers) | {"Retry-After": str(quota.retry_after_s)}
            raise RefusedRequest(refusals.over_the_quota(quota.limit, headers))
        return quota.headers

    def _wake(self, now_ns: int) -> Wake:
        wake = self._sleeper.ask(now_ns) if self._sleeper else Wake()
        if wake.is_refused:
            raise RefusedRequest(refusals.LOADING)
        return wake


def _slowed(pace: Pace, factor: float) -> Pace:
    if factor == 1:
        return pace
    return Pace(ttft_ns=round(pace.ttft_ns * factor), tokens_per_s=pace.tokens_per_s, token_jitter=pace.token_jitter)


def _check_wishes(chat: ChatRequest) -> None:
    known = {*DEGRADATIONS, *FAULTS}
    asked = [*chat.wishes.degradations, *([chat.wishes.fault] if chat.wishes.fault else [])]
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise bad_request(f"the simulator has no {unknown[0]!r}", code="unknown_wish")
