"""Answers as an endpoint whose features are switched one by one."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from harness.simulator.apierror import ApiError, RefusedRequest, bad_request
from harness.simulator.bodies import Headers, error_script, json_script
from harness.simulator.features import BUSY, WINDOW, Body, Switches, n_prompt_tokens
from harness.simulator.obliging import ObligingModel, Said, tokens_of
from harness.simulator.profile import FeatureClass
from harness.simulator.refusals import WRONG_KEY, no_such_model, no_such_path, over_the_quota
from harness.simulator.script import Event, Payload, Script, replace
from harness.simulator.wire import event_bytes
from harness.units import NS_PER_MS

_DONE = b"data: [DONE]\n\n"
_CHAT, _MODELS, _RESPONSES = "/v1/chat/completions", "/v1/models", "/v1/responses"
_PACE_NS = NS_PER_MS  # of a long answer's tokens
_LONG = 100  # tokens
_QUOTA = 20
_LIMITS = (("x-ratelimit-limit-requests", "1000"), ("x-ratelimit-remaining-requests", "999"))
_PAGE = ApiError(status=500, message="Internal error", kind="server_error")


class FeaturedEndpoint:
    """Serves probes; every feature is supported unless its switch says otherwise."""

    def __init__(self, model: str, features: Mapping[str, FeatureClass]) -> None:
        """Take the switches."""
        self._model = model
        self._switches = Switches(features)
        self._speaker = ObligingModel(self._switches)
        self._n_requests = 0
        self._seen: set[str] = set()

    def answer(self, path: str, headers: Mapping[str, str], raw: bytes, own: Headers) -> Script:
        """Give the whole response to one request."""
        try:
            return self._answer(path, headers, raw, own)
        except RefusedRequest as refused:
            return error_script(refused.error, own)

    def _answer(self, path: str, headers: Mapping[str, str], raw: bytes, own: Headers) -> Script:
        self._n_requests += 1
        if path == _MODELS:
            return self._models(own)
        if path == _RESPONSES:
            return self._responses(own)
        if path != _CHAT:
            raise RefusedRequest(no_such_path(path))
        self._check_key(headers)
        self._check_quota()
        body = self._body(raw)
        if "gzip" in headers.get("accept-encoding", ""):
            body["x_gzip"] = True
        self._check(body)
        self._switches.refuse(body)
        body = self._switches.stripped(body)
        script = self._stream(body, own) if body.get("stream") is True else self._plain(body, own)
        return _gzipped(script) if "x_gzip" in body and script.is_stream else script

    def _models(self, own: Headers) -> Script:
        kind = self._switches.of("models")
        if kind == "rejected":
            raise RefusedRequest(no_such_path(_MODELS))
        if kind == "inconclusive":
            raise RefusedRequest(BUSY)
        if kind == "broken":
            return json_script(200, b"<html>hello</html>", own)
        name = "another" if kind == "ignored" else self._model
        listed = {"object": "list", "data": [{"id": name, "object": "model", "max_model_len": WINDOW}]}
        return json_script(200, msgspec.json.encode(listed), own)

    def _responses(self, own: Headers) -> Script:
        return json_script(200, b'{"object": "response", "id": "resp_1", "output": []}', own)

    def _fail(self, name: str, error: ApiError) -> None:
        """Refuse a bad request, unless the switch says that nobody notices or that it breaks."""
        kind = self._switches.of(name)
        if kind == "broken":
            raise RefusedRequest(_PAGE)
        if kind != "ignored":
            raise RefusedRequest(error)

    def _check_key(self, headers: Mapping[str, str]) -> None:
        if "wrong" in headers.get("authorization", ""):
            self._fail("error_bad_key", WRONG_KEY)

    def _check_quota(self) -> None:
        name = "error_rate_limit"
        has_limit = self._switches.has(name) and self._switches.of(name) in ("supported", "broken")
        if has_limit and self._n_requests > _QUOTA:
            headers = {"Retry-After": "1"} if self._switches.of(name) == "supported" else {}
            raise RefusedRequest(over_the_quota(_QUOTA, headers))

    def _body(self, raw: bytes) -> Body:
        try:
            body = msgspec.json.decode(raw)
        except msgspec.DecodeError:
            self._fail("error_bad_json", bad_request("We could not parse the JSON body").error)
            body = {"model": self._model, "messages": [{"role": "user", "content": "Say hello."}]}
        return dict(body)

    def _check(self, body: Body) -> None:
        """Refuse what the contract refuses."""
        if body.get("model") != self._model:
            self._fail("error_unknown_model", no_such_model(str(body.get("model"))))
        if not isinstance(body.get("messages"), list):
            self._fail("error_wrong_type", bad_request("messages must be a list", param="messages").error)
            body["messages"] = [{"role": "user", "content": "Say hello."}]
        if isinstance(body.get("temperature"), str):
            self._fail("error_in_stream", bad_request("temperature must be a number", param="temperature").error)
            body["temperature"] = 0
        self._check_window(body)

    def _check_window(self, body: Body) -> None:
        budget = body.get("max_tokens") or body.get("max_completion_tokens") or 0
        if budget > WINDOW and self._switches.of("budget_overflow") == "supported":
            raise bad_request("max_tokens is too large", param="max_tokens", code="invalid_value")
        kinds = {self._switches.of("context_overflow"), self._switches.of("error_over_long")}
        if n_prompt_tokens(body) <= WINDOW or kinds & {"broken", "rejected", "inconclusive"}:
            return
        if kinds == {"supported"}:
            raise bad_request("too long", param="messages", code="context_length_exceeded")
        if "ignored" in kinds:
            body["messages"] = [{"role": "user", "content": "Say hello."}]

    def _usage(self, body: Body, choices: list[Said]) -> dict[str, Any]:
        n_prompt = n_prompt_tokens(body)
        completion = sum(len(tokens_of(said.text)) + len(said.calls) + said.reasoning_tokens for said in choices)
        text = str(body["messages"])
        cached = n_prompt - 1 if text in self._seen else 0
        self._seen.add(text)
        is_off = self._switches.is_("usage_agreement", "broken", body)
        return {
            "prompt_tokens": n_prompt + is_off,
            "completion_tokens": completion,
            "total_tokens": n_prompt + is_off + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": sum(said.reasoning_tokens for said in choices)},
        }

    def _extra(self, own: Headers) -> Headers:
        is_silent = self._switches.of("headers_cache_responses") == "accepted"
        is_silent |= self._switches.of("error_rate_limit") == "inconclusive"
        return own if is_silent else (*own, *_LIMITS)

    def _plain(self, body: Body, own: Headers) -> Script:
        choices = self._speaker.say(body)
        usage = {} if self._switches.of("usage_agreement") == "ignored" else {"usage": self._usage(body, choices)}
        listed = [self._choice(position, said, body) for position, said in enumerate(choices)]
        payload = self._named("chat.completion") | {"choices": listed} | usage
        return json_script(200, msgspec.json.encode(payload), self._extra(own))

    def _named(self, kind: str) -> Payload:
        return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": self._model}

    def _choice(self, position: int, said: Said, body: Body) -> Payload:
        message: Payload = {"role": "assistant", "content": said.text or None}
        if said.calls:
            message["tool_calls"] = [_call(number, call) for number, call in enumerate(said.calls)]
        if self._switches.is_("tool_none", "broken", body):
            message["content"] = "<tool_call>get_weather</tool_call>"
        logprobs = self._logprobs(said) if body.get("logprobs") else None
        return {"index": position, "message": message, "finish_reason": said.finish, "logprobs": logprobs}

    def _logprobs(self, said: Said) -> Payload:
        if self._switches.of("logprobs") == "broken":
            return {"tokens": tokens_of(said.text), "token_logprobs": [-0.1]}
        tops = [{"token": token, "logprob": -1.0, "bytes": None} for token in ("a", "b", "c")]
        tokens = tokens_of(said.text)
        return {"content": [{"token": token, "logprob": -0.1, "bytes": None, "top_logprobs": tops} for token in tokens]}

    def _stream(self, body: Body, own: Headers) -> Script:
        events = tuple(self._events(body, self._speaker.say(body)))
        if self._switches.of("true_streaming") == "ignored" or self._switches.is_("compression", "broken", body):
            last_ns = events[-1].at_ns
            events = tuple(Event(last_ns, event.data, event.n_tokens) for event in events)
        head = (("Content-Type", "text/event-stream"), *self._extra(own))
        return Script(headers=head, events=events, is_stream=True)

    def _events(self, body: Body, choices: list[Said]) -> Iterator[Event]:
        at_ns = 0
        for position, said in enumerate(choices):
            deltas = list(self._deltas(said))
            step_ns = _PACE_NS if len(deltas) > _LONG else 0
            for delta in deltas:
                yield Event(at_ns, self._chunk(position, delta, None), 1)
                at_ns += step_ns
            yield Event(at_ns, self._chunk(position, {}, said.finish))
        if "stream_options" in body and self._switches.of("usage_agreement") != "inconclusive":
            yield Event(
                at_ns, self._named("chat.completion.chunk") | {"choices": [], "usage": self._usage(body, choices)}
            )
        if not self._switches.is_("stream", "broken", body):
            yield Event(at_ns, _DONE)

    def _deltas(self, said: Said) -> Iterator[Payload]:
        yield {"role": "assistant", "content": ""}
        yield from ({"content": token} for token in tokens_of(said.text))
        for number, call in enumerate(said.calls):
            yield {"tool_calls": [_call(number, call) | {"index": number}]}

    def _chunk(self, position: int, delta: Payload, finish: str | None) -> Payload:
        choice = {"index": position, "delta": delta, "finish_reason": finish}
        return self._named("chat.completion.chunk") | {"choices": [choice]}


def _call(number: int, call: tuple[str, str]) -> Payload:
    name, arguments = call
    return {"id": f"call_{number:024d}", "type": "function", "function": {"name": name, "arguments": arguments}}


def _gzipped(script: Script) -> Script:
    """Compress event by event, each flushed, so that nothing waits for the next (RFC 1952 in one member)."""
    packer = zlib.compressobj(wbits=31)
    events = [
        Event(
            event.at_ns, packer.compress(event_bytes(script, event)) + packer.flush(zlib.Z_SYNC_FLUSH), event.n_tokens
        )
        for event in script.events
    ]
    events.append(Event(events[-1].at_ns, packer.flush()))
    # not is_stream: the bytes go out as they are
    return replace(
        script, events=tuple(events), is_stream=False, headers=(*script.headers, ("Content-Encoding", "gzip"))
    )
