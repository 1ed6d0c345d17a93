"""The endpoint file: everything that differs between the reference and the candidate."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

AtLeastOne = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
EnvironmentReference = Annotated[str, Meta(pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")]
Name = Annotated[
    str,
    Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="Letters, digits, dot, dash, underscore."),
]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A section of a file that refuses keys it does not know."""


class Params(_Section, frozen=True, kw_only=True):
    """How this endpoint wants the golden request's parameters: declared differences only."""

    rename: Annotated[
        dict[str, str],
        Meta(description="Parameter to send under another name, e.g. max_tokens: max_completion_tokens."),
    ] = {}
    drop: Annotated[list[str], Meta(description="Parameters that this endpoint refuses; never sent to it.")] = []
    add: Annotated[
        dict[str, Any],
        Meta(description="Parameters sent with every request, e.g. reasoning_effort: low."),
    ] = {}


class Limits(_Section, frozen=True, kw_only=True):
    """How hard this endpoint may be driven."""

    concurrency: Annotated[int, Meta(ge=1, le=4096, description="Requests in flight at once.")] = 4
    requests_per_minute: Annotated[
        AtLeastOne | None, Meta(description="Request quota kept by a throttle; none when absent.")
    ] = None


class Timeouts(_Section, frozen=True, kw_only=True):
    """The four time limits, all ours: never a library's per-read timeout."""

    connect_s: Annotated[Positive, Meta(description="DNS, TCP and TLS together.")] = 10.0
    first_output_s: Annotated[
        Positive, Meta(description="From sent to the first model output; 660 or more where a cold wake is possible.")
    ] = 120.0
    idle_s: Annotated[
        Positive, Meta(description="Between two payload events; comments and keep-alives do not re-arm it.")
    ] = 30.0
    total_s: Annotated[
        Positive | None,
        Meta(description="Whole request; derived from max_tokens and expected_decode_rate when absent."),
    ] = None
    expected_decode_rate: Annotated[
        Positive, Meta(description="Tokens per second that the derived total limit assumes.")
    ] = 20.0
    safety_factor: Annotated[Positive, Meta(description="Multiplier of the derived generation time.")] = 3.0


class Prices(_Section, frozen=True, kw_only=True):
    """Price book of this endpoint, per million tokens."""

    currency: Annotated[str, Meta(description="Label only; both sides must agree.")] = "USD"
    input_per_mtok: Annotated[NotNegative, Meta(description="Price of a million prompt tokens.")]
    output_per_mtok: Annotated[NotNegative, Meta(description="Price of a million completion tokens.")]
    cached_input_per_mtok: Annotated[
        NotNegative | None, Meta(description="Price of a million cached prompt tokens; as input when absent.")
    ] = None
    per_request: Annotated[NotNegative, Meta(description="Price of one request, whatever its size.")] = 0.0


class Labels(_Section, frozen=True, kw_only=True):
    """What the endpoint runs on, for tables and publishing."""

    hardware: Annotated[str | None, Meta(description="For example: 2x H100 80GB.")] = None
    checkpoint: Annotated[str | None, Meta(description="Weights and quantisation as served.")] = None
    region: Annotated[str | None, Meta(description="Where it is served from.")] = None
    tier: Annotated[str | None, Meta(description="The row in a published table.")] = None
    other: Annotated[dict[str, str], Meta(description="Any further labels.")] = {}


class Tls(_Section, frozen=True, kw_only=True):
    """TLS verification and client identity."""

    verify: Annotated[bool, Meta(description="Verify the server's certificate; false is said in every output.")] = True
    ca_file: Annotated[str | None, Meta(description="PEM file of the certificate authorities to trust.")] = None
    client_cert: Annotated[str | None, Meta(description="PEM file of the client certificate.")] = None
    client_key: Annotated[str | None, Meta(description="PEM file of the client certificate's key.")] = None


class Cold(_Section, frozen=True, kw_only=True):
    """What to expect of an endpoint that scales to zero."""

    scales_to_zero: Annotated[bool, Meta(description="Whether a first request may have to wake it.")] = False
    idle_after_s: Annotated[Positive | None, Meta(description="Idle time after which it hibernates.")] = None
    budget_s: Annotated[Positive | None, Meta(description="Wake time that is acceptable.")] = None
    cap_s: Annotated[Positive | None, Meta(description="Wake time after which the provider gives up.")] = None


class KeySource(_Section, frozen=True, kw_only=True):
    """Where a key comes from that no environment variable holds: one of the two."""

    file: Annotated[
        Annotated[str, Meta(min_length=1)] | None,
        Meta(description="File with the key in it, which only its owner may read (0600)."),
    ] = None
    command: Annotated[
        list[str], Meta(description="Command and its words, run once before anything is sent; it prints the key.")
    ] = []


class Endpoint(_Section, frozen=True, kw_only=True):
    """One base URL, model, credentials and dialect that can be sent to."""

    name: Annotated[Name, Meta(description="Short name in reports; letters, digits, dot, dash, underscore.")]
    base_url: Annotated[
        str, Meta(pattern=r"^https?://", description="As given to the SDK, e.g. https://api.openai.com/v1.")
    ]
    model: Annotated[str, Meta(min_length=1, description="The one place that names the model to ask for.")]
    api_key: Annotated[
        EnvironmentReference | KeySource | None,
        Meta(
            description="Reference to an environment variable, ${OPENAI_API_KEY}, or {file: path}, or "
            "{command: [words]}. Never the key itself."
        ),
    ] = None
    sampling: Annotated[
        dict[str, Any], Meta(description="Sampling pinned for this endpoint over the golden set's values.")
    ] = {}
    params: Annotated[Params, Meta(description="Declared parameter differences.")] = Params()
    headers: Annotated[
        dict[str, str], Meta(description="Extra request headers; values may hold ${VARIABLE} references.")
    ] = {}
    extra_body: Annotated[dict[str, Any], Meta(description="Extra body fields, merged last.")] = {}
    stream_usage: Annotated[bool, Meta(description="Ask for usage in the stream (stream_options.include_usage).")] = (
        True
    )
    context_window: Annotated[
        AtLeastOne | None,
        Meta(description="Tokens of prompt and answer together; a probe of /models may say it where absent."),
    ] = None
    limits: Annotated[Limits, Meta(description="Concurrency and quota.")] = Limits()
    timeouts: Annotated[Timeouts, Meta(description="The four time limits.")] = Timeouts()
    prices: Annotated[Prices | None, Meta(description="Price book; costs are undefined without it.")] = None
    labels: Annotated[Labels, Meta(description="Hardware, checkpoint, region, tier.")] = Labels()
    tls: Annotated[Tls, Meta(description="TLS options.")] = Tls()
    cold: Annotated[Cold, Meta(description="Cold-path expectations.")] = Cold()
