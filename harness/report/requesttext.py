"""One request in full, and lists of requests, as lines for a terminal; what an endpoint sent is made visible."""

import json
from collections.abc import Iterator, Sequence

from harness.analysis.catalog import CATALOG
from harness.decode.sdk_view import SdkView
from harness.model.record import Connection, Usage
from harness.report import format as fmt
from harness.report.readrows import ReadRow
from harness.report.shownrequest import ShownCheck, ShownMetric, ShownRequest
from harness.report.untrusted import one_line, visible
from harness.units import NS_PER_MS

_INDENT = "  "
_NAME_WIDTH = 29
_NOTHING = "(nothing)"


def request_lines(shown: ShownRequest) -> Iterator[str]:
    """Lay one request out: what was sent, what came, when, what was judged of it."""
    yield visible(f"{shown.request}, attempt {shown.attempt}, to {shown.endpoint}, in run {shown.run_id}")
    if shown.marks:
        yield f"{_INDENT}{', '.join(shown.marks)}"
    for title, lines in (
        ("Request", _sent(shown)),
        ("Response", _came(shown)),
        ("Connection", _connection(shown.connection)),
        ("Timeline, ms since sent", _timeline(shown.timeline)),
        ("Answer", _answer(shown)),
        ("Usage", _usage(shown.usage)),
        ("Metrics", _metrics(shown)),
        ("Checks", _checks(shown)),
        ("Findings", _findings(shown)),
        ("OpenAI SDK", _sdk(shown)),
    ):
        yield ""
        yield title
        yield from (f"{_INDENT}{line}" for line in _or_nothing(lines))


def _or_nothing(lines: Iterator[str]) -> Iterator[str]:
    has_any = False
    for line in lines:
        has_any = True
        yield line
    if not has_any:
        yield _NOTHING


def _sent(shown: ShownRequest) -> Iterator[str]:
    sent = shown.sent
    if sent.note:
        yield one_line(sent.note, 400)
    if sent.is_as_sent is None:
        return
    if sent.is_as_sent:
        yield "composed again from the run folder; its digest is the recorded one"
    yield visible(f"{sent.method} {sent.url}")
    yield from (visible(f"{name}: {value}") for name, value in sent.headers)
    yield ""
    yield from _text_lines(_pretty(sent.body))


def _pretty(body: str) -> str:
    """Indent a JSON body; another is shown as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def _came(shown: ShownRequest) -> Iterator[str]:
    came = shown.came
    if shown.failure is not None:
        yield one_line(f"failed: {shown.failure.kind}: {shown.failure.message}", 1_000)
    if came.status is None:
        yield f"no response head; {came.n_bytes} bytes"
        return
    yield visible(f"HTTP {came.status} {came.reason}".rstrip())
    yield from (one_line(f"{name}: {value}", 500) for name, value in came.headers)
    yield f"{came.n_bytes} bytes, {'whole' if came.is_complete else 'not whole'}"


def _connection(found: Connection | None) -> Iterator[str]:
    if found is None:
        return
    kind = "kept from before" if found.reused else "opened before the run" if found.is_preopened else "opened for it"
    yield kind
    steps = (("name", found.dns_ns), ("TCP", found.tcp_ns), ("TLS", found.tls_ns))
    told = [f"{name} {_ms(took_ns / NS_PER_MS)}" for name, took_ns in steps if took_ns is not None]
    if told:
        yield ", ".join(told)
    if found.peer:
        tls = f", {found.tls_version}" if found.tls_version else ""
        yield visible(f"to {found.peer} from port {found.local_port}{tls}")


def _timeline(rows: Sequence[ReadRow]) -> Iterator[str]:
    """Give a line per read, and one more per further event that it completed."""
    if rows:
        yield f"{'at':>10} {'gap':>10} {'bytes':>7}  carried"
    for row in rows:
        if row.is_stall and row.gap_ms is not None:
            yield f"{'':>10} {_ms(row.gap_ms):>10}  STALL: output stood still"
        at, gap = (f"{value:,.2f}" if value is not None else "" for value in (row.at_ms, row.gap_ms))
        first, *rest = row.carried or ("…",)
        yield f"{at:>10} {gap:>10} {row.n_bytes:>7}  {first}"
        yield from (f"{'':>10} {'':>10} {'':>7}  {line}" for line in rest)


def _answer(shown: ShownRequest) -> Iterator[str]:
    answer = shown.answer
    for title, text in (("reasoning", answer.reasoning), ("refusal", answer.refusal), ("text", answer.text)):
        if text:
            yield f"{title}:"
            yield from (f"{_INDENT}{line}" for line in _text_lines(text))
    for call in answer.tool_calls:
        yield one_line(f"call {call.name or '(no name)'} {call.id or '(no id)'}", 300)
        yield from (f"{_INDENT}{line}" for line in _text_lines(_pretty(call.arguments)))
    if answer.finish_reason is not None:
        yield one_line(f"finish_reason: {answer.finish_reason}")
    if shown.model_reported is not None:
        yield one_line(f"model: {shown.model_reported}")


def _usage(usage: Usage | None) -> Iterator[str]:
    if usage is None:
        return
    counts = (
        ("prompt", usage.prompt_tokens),
        ("completion", usage.completion_tokens),
        ("total", usage.total_tokens),
        ("cached", usage.cached_tokens),
        ("reasoning", usage.reasoning_tokens),
    )
    yield ", ".join(f"{name} {'not reported' if count is None else f'{count:,}'}" for name, count in counts)


def _metrics(shown: ShownRequest) -> Iterator[str]:
    for name, metric in shown.metrics.items():
        yield f"{CATALOG[name].title:<{_NAME_WIDTH}} {one_line(_metric(name, metric), 200)}"


def _metric(name: str, metric: ShownMetric) -> str:
    if metric.value is None:
        return f"undefined: {metric.reason}"
    unit = CATALOG[name].unit
    if unit == "currency":
        return f"{metric.value:.6g}"
    return fmt.scale_for(unit, [metric.value]).full(metric.value)


def _checks(shown: ShownRequest) -> Iterator[str]:
    yield from (one_line(_check(check), 400) for check in shown.checks)
    if shown.tool_rung is not None:
        yield one_line(f"tool ladder: {shown.tool_rung} {shown.tool_detail}", 400)


def _check(check: ShownCheck) -> str:
    if check.passed:
        return f"passed  {check.check}"
    where = f" at {check.where}" if check.where else ""
    return f"FAILED  {check.check}: expected {check.expected}, came {check.came}{where}"


def _findings(shown: ShownRequest) -> Iterator[str]:
    for finding in shown.findings:
        times = f" ({finding.count} times)" if finding.count > 1 else ""
        yield one_line(f"{finding.kind}{times}: {finding.detail}".removesuffix(": "), 400)


def _sdk(shown: ShownRequest) -> Iterator[str]:
    for way, view in shown.sdk.items():
        yield one_line(f"{way}: {_sdk_words(view)}", 400)


def _sdk_words(view: SdkView) -> str:
    if view.exception_type is not None:
        return f"{view.outcome}: {view.exception_type}: {view.exception_message}"
    calls = f", {fmt.plural(len(view.tool_calls), 'tool call')}" if view.tool_calls else ""
    return f"{view.outcome}, {fmt.plural(len(view.text), 'character')}{calls}"


def _text_lines(text: str) -> list[str]:
    """Cut a text at its own line ends; everything else that would act is made visible."""
    return visible(text).split("\n")


def _ms(value: float) -> str:
    return f"{value:,.2f} ms"
