"""The profile: how a simulated endpoint behaves."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from harness.model.endpoint import AtLeastOne, EnvironmentReference, Name, NotNegative, Positive
from harness.units import nanoseconds

Fraction = Annotated[float, Meta(ge=0, le=1)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A section of a file that refuses keys it does not know."""


class Constant(_Section, frozen=True, kw_only=True, tag_field="shape", tag="constant"):
    """The same time for every request."""

    ms: Annotated[Positive, Meta(description="Milliseconds from the request's last byte to the first token.")]


class Lognormal(_Section, frozen=True, kw_only=True, tag_field="shape", tag="lognormal"):
    """Times around a median, skewed to the slow side."""

    median_ms: Annotated[Positive, Meta(description="Median in milliseconds.")]
    sigma: Annotated[NotNegative, Meta(description="Standard deviation of the logarithm; 0.05 is about 5 %.")]


class SlowTail(_Section, frozen=True, kw_only=True, tag_field="shape", tag="slow-tail"):
    """As lognormal, but a share of the requests is slower by a factor."""

    median_ms: Annotated[Positive, Meta(description="Median in milliseconds of the ordinary requests.")]
    sigma: Annotated[NotNegative, Meta(description="Standard deviation of the logarithm.")]
    slow_fraction: Annotated[Fraction, Meta(description="Share of the requests that are slow.")]
    slow_factor: Annotated[Positive, Meta(description="How many times longer a slow request takes.")]


Ttft = Constant | Lognormal | SlowTail


class Decode(_Section, frozen=True, kw_only=True):
    """The pace of tokens after the first; token k is due at TTFT + k / rate, so that nothing drifts."""

    tokens_per_s: Annotated[Positive, Meta(description="Mean decode rate of a stream.")] = 100.0
    request_spread: Annotated[
        float, Meta(ge=0, le=0.3, description="Relative standard deviation of the rate between requests.")
    ] = 0.0
    token_jitter: Annotated[
        Fraction, Meta(description="Width of each token's shift around its due instant, in token intervals.")
    ] = 0.0


class StreamStyle(_Section, frozen=True, kw_only=True):
    """The dialect of a stream."""

    tokens_per_chunk: Annotated[AtLeastOne, Meta(description="Tokens in one event.")] = 1
    head: Annotated[
        Literal["start", "first-token"], Meta(description="Whether the response head goes out at once or with output.")
    ] = "start"
    role: Annotated[
        Literal["early", "first", "with", "none"],
        Meta(description="Role chunk halfway to the first token, just before it, inside it, or nowhere."),
    ] = "first"
    usage: Annotated[
        Literal["last-chunk", "on-finish", "every-chunk", "none"],
        Meta(description="Where asked-for usage stands; `none` ignores the asking."),
    ] = "last-chunk"
    finish: Annotated[
        Literal["contract", "empty-until-end", "every-chunk", "with-last-token", "stop-with-tools", "eos"],
        Meta(description="How finish_reason is given; everything but `contract` is an oddity seen in the field."),
    ] = "contract"


class Reasoning(_Section, frozen=True, kw_only=True):
    """Tokens that come before the answer."""

    tokens: Annotated[AtLeastOne, Meta(description="Reasoning tokens of every answer.")]
    field: Annotated[str, Meta(min_length=1, description="Name of the delta's field.")] = "reasoning_content"
    hidden: Annotated[bool, Meta(description="Whether they are counted and waited for, but never sent.")] = False


class PrefixCache(_Section, frozen=True, kw_only=True):
    """A prompt's beginning that was seen before costs no prefill."""

    ttft_factor: Annotated[
        Fraction, Meta(description="TTFT of a prompt that is wholly cached, relative to an uncached one.")
    ] = 0.5


class RateLimit(_Section, frozen=True, kw_only=True):
    """A request quota over a sliding minute; above it 429 with Retry-After."""

    requests_per_minute: Annotated[AtLeastOne, Meta(description="Requests that any 60 seconds may hold.")]


class Cold(_Section, frozen=True, kw_only=True):
    """An endpoint that scales to zero; its times are divided by `time_scale`, so that minutes are played in seconds."""

    wake_s: Annotated[Positive, Meta(description="Time from the request that wakes it until it serves.")]
    idle_after_s: Annotated[
        Positive | None, Meta(description="Idle time after which it sleeps again; never when absent.")
    ] = None
    cap_s: Annotated[Positive | None, Meta(description="Longest wait; above it 504 wake_timeout.")] = None
    while_waking: Annotated[
        Literal["hold", "refuse"], Meta(description="Whether requests wait for the wake or get 503 loading.")
    ] = "hold"
    time_scale: Annotated[
        Positive, Meta(description="How many times faster wake_s, idle_after_s and cap_s pass: 60 plays minutes as s.")
    ] = 1.0
    kept_warm_after: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="Wakes after which another tenant keeps it awake; 0: it never sleeps. Nobody when absent."),
    ] = None

    def played_ns(self, stated_s: float) -> int:
        """Give the time that a stated one really takes."""
        return nanoseconds(stated_s / self.time_scale)


class Capacity(_Section, frozen=True, kw_only=True):
    """How many requests are served at once; the others wait in line."""

    slots: Annotated[AtLeastOne, Meta(description="Requests served at the same time.")]
    queue: Annotated[
        Annotated[int, Meta(ge=0)] | None, Meta(description="Requests that may wait; above it 503. No limit if absent.")
    ] = None


class Tls(_Section, frozen=True, kw_only=True):
    """Serving under TLS."""

    certificate: Annotated[str, Meta(min_length=1, description="PEM file of the key and the certificate chain.")]
    only_old: Annotated[bool, Meta(description="Whether it knows TLS 1.1 and older only.")] = False


Which = Annotated[
    Literal["streamed", "unstreamed", "second-turn"] | None,
    Meta(description="Only these requests; a second turn brings what a tool returned."),
]


def strikes(which: str | None, *, is_streamed: bool, is_second_turn: bool) -> bool:
    """Say whether a rule for some requests is meant for this one."""
    applies = {"streamed": is_streamed, "unstreamed": not is_streamed, "second-turn": is_second_turn}
    return which is None or applies[which]


class DegradationRule(_Section, frozen=True, kw_only=True):
    """A share of the answers that gets worse."""

    one_of: Annotated[list[str], Meta(min_length=1, description="Degradations, of which one is picked evenly.")]
    rate: Annotated[Fraction, Meta(description="Share of the answers to which one of them applies.")]
    only: Which = None


class FaultRule(_Section, frozen=True, kw_only=True):
    """A share of the requests that goes wrong."""

    fault: Annotated[str, Meta(description="Name of a fault.")]
    rate: Annotated[Fraction, Meta(description="Share of the requests.")] = 1.0
    prompt: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="Only requests whose last user message holds this text."),
    ] = None
    only: Which = None


FeatureClass = Literal["supported", "ignored", "rejected", "broken", "accepted", "inconclusive"]


class Profile(_Section, frozen=True, kw_only=True):
    """Everything that a simulated endpoint does."""

    name: Annotated[Name, Meta(description="Short name; stands in the truth log.")]
    model: Annotated[str, Meta(min_length=1, description="Name of the model that it serves.")] = "sim-model"
    refuses_other_models: Annotated[bool, Meta(description="Whether another model name gets a 404.")] = False
    api_key: Annotated[
        EnvironmentReference | None, Meta(description="Key that it expects, as a reference: ${NAME}. Any when absent.")
    ] = None
    seed: Annotated[int, Meta(ge=0, description="Seed of every random choice.")] = 1
    ttft: Annotated[Ttft, Meta(description="Time to first token.")] = Constant(ms=50.0)
    prefill_ms_per_1k_tokens: Annotated[
        NotNegative, Meta(description="Added to TTFT for every 1,000 prompt tokens that are not cached.")
    ] = 0.0
    decode: Annotated[Decode, Meta(description="The pace of tokens.")] = Decode()
    stream: Annotated[StreamStyle, Meta(description="The dialect of a stream.")] = StreamStyle()
    reasoning: Annotated[Reasoning | None, Meta(description="Tokens before the answer.")] = None
    tokenizer_factor: Annotated[
        Positive, Meta(description="Usage counts are the simulator's own times this: another tokenizer.")
    ] = 1.0
    prefix_cache: Annotated[PrefixCache | None, Meta(description="Cached prompt beginnings.")] = None
    rate_limit: Annotated[RateLimit | None, Meta(description="Request quota.")] = None
    cold: Annotated[Cold | None, Meta(description="Scaling to zero.")] = None
    capacity: Annotated[Capacity | None, Meta(description="Requests served at once.")] = None
    echo: Annotated[
        bool, Meta(description="Repeat the request's credentials in headers and in every error's message.")
    ] = False
    tls: Annotated[Tls | None, Meta(description="Serve https instead of http.")] = None
    paraphrase_rate: Annotated[
        Fraction, Meta(description="Share of text answers that say the same in other words.")
    ] = 0.0
    features: Annotated[
        dict[str, FeatureClass] | None,
        Meta(
            description="Answer feature probes, each feature in the class given and the others supported, "
            "e.g. seed: ignored; the golden set is then not played."
        ),
    ] = None
    degradations: Annotated[list[DegradationRule], Meta(description="Worse answers, at rates.")] = []
    faults: Annotated[list[FaultRule], Meta(description="Faults, at rates; the first that strikes counts.")] = []


def profile_schema() -> dict[str, Any]:
    """JSON Schema of the profile, for editors."""
    schema = msgspec.json.schema(Profile)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "bench simulator profile", **schema}
