"""`bench plan`: what a comparison could show, and what it would cost, before it is run."""

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from harness.cli.budget import money_words
from harness.cli.helppage import SectionedCommand
from harness.cli.options import resolve_golden, resolve_settings
from harness.errors import ConfigError
from harness.model.endpoint import Endpoint
from harness.model.golden import GoldenSet
from harness.model.record import Arm, Plan
from harness.model.settings import Settings
from harness.model.validationwords import converted_problem

if TYPE_CHECKING:
    from harness.analysis.powerplan import GateOutlook, RateOutlook, Recorded
    from harness.analysis.powerwork import Work
    from harness.measure.estimate import Estimate

_READING = (
    "needs: fewest trials per side with which the gate can pass. for 80 %: trials with which equal sides at 97 % pass "
    "in 80 of 100 runs. PASS if equal: the chance that the gate passes when the candidate is truly equal. finds: the "
    "loss that FAILs with 80 % chance. A verdict of PASS needs every required gate at once."
)
_NEVER = 10**9  # no number of trials excludes a loss of nothing


class Margin(click.ParamType):  # type: ignore[type-arg]  # generic only in the newest click
    """A gate with its margin."""

    name = "gate=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:
        """Read it; a usage error says what is wrong."""
        if isinstance(value, tuple):
            return value
        gate, _, number = str(value).partition("=")
        try:
            margin = float(number)
        except ValueError:
            self.fail(f"{value!r} is no gate with a margin; write tool_success=0.05", param, ctx)
        if not 0 <= margin < math.inf:
            self.fail(f"{number!r} is no margin; write 0.05 for 5 points, 1.5 for a ratio", param, ctx)
        return gate, margin


@click.command(cls=SectionedCommand)
@click.argument("reference", type=click.Path(path_type=Path))
@click.argument("candidate", type=click.Path(path_type=Path))
@click.option("--golden", type=click.Path(path_type=Path), help="Golden set; the shipped one by default.")
@click.option("--settings", type=click.Path(path_type=Path), help="Plan, margins and limits (YAML).")
@click.option("--repeats", type=click.IntRange(1, 1000), help="Fewest repeats of every prompt.")
@click.option("--concurrency", type=click.IntRange(1, 4096), help="Requests in flight on each side.")
@click.option("--margin", "margins", type=Margin(), multiple=True, help="Another margin, as in tool_success=0.1.")
@click.option(
    "--from", "earlier", type=click.Path(path_type=Path), help="A recorded run: its reference's rates and spread."
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def plan(reference: Path, candidate: Path, **given: Any) -> int:
    """Say what a comparison of REFERENCE and CANDIDATE could show, and what it would cost; nothing is sent.

    Per gate: trials, the chance to pass if the candidate is truly equal, the loss that would be found. Rates are summed
    exactly. Times come from a recorded run (--from) or are assumed.

    \b
    Example:
        bench plan a.yml b.yml --repeats 5 --margin tool_success=0.1 --from results/20260101T120000-a-vs-b
    """
    outlook = _outlook({Arm.REFERENCE: reference, Arm.CANDIDATE: candidate}, given)
    if given["as_json"]:
        click.echo(json.dumps(_as_json(outlook), allow_nan=False))
        return 0
    for line in _lines(outlook):
        click.echo(line)
    return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outlook:
    """Everything that is said."""

    golden: GoldenSet
    plan: Plan
    endpoints: Mapping[Arm, Endpoint]
    gates: "Sequence[GateOutlook]"
    never: Sequence[str]
    estimates: "Mapping[Arm, Estimate]"
    work: "Work"
    earlier: str | None

    @property
    def notes(self) -> list[str]:
        """Say what the figures rest on."""
        from harness.analysis.powerratios import ASSUMED  # noqa: PLC0415

        is_assumed = any(gate.ratio is not None and gate.ratio.is_assumed for gate in self.gates)
        taken = [f"Rates and spread are those of the reference in {self.earlier}."] if self.earlier else []
        return [_READING, *taken, *([ASSUMED] if is_assumed else [])]


def _outlook(files: Mapping[Arm, Path], given: Mapping[str, Any]) -> _Outlook:
    from harness.analysis.powerplan import never_shown, outlooks  # noqa: PLC0415  # keeps --help light
    from harness.analysis.powerwork import expected_work, no_work  # noqa: PLC0415
    from harness.cli.compare import with_concurrency  # noqa: PLC0415
    from harness.cli.measuring import Request, make_plan  # noqa: PLC0415
    from harness.measure.estimate import estimate  # noqa: PLC0415
    from harness.model.endpointfile import load_endpoint  # noqa: PLC0415

    endpoints = {arm: with_concurrency(load_endpoint(file), given["concurrency"]) for arm, file in files.items()}
    golden = resolve_golden(given["golden"])
    settings = _with_margins(resolve_settings(defaultdict(lambda: None, given)), given["margins"])
    planned = make_plan(Request(endpoints=endpoints, golden=golden, settings=settings, out=Path()))
    recorded = _recorded(given["earlier"])
    gates = outlooks(golden, settings, planned, recorded)
    return _Outlook(
        golden=golden,
        plan=planned,
        endpoints=endpoints,
        gates=gates,
        never=never_shown(golden, planned, gates),
        estimates={arm: estimate(golden, endpoint, planned) for arm, endpoint in endpoints.items()},
        work=expected_work(planned, recorded.trials) if recorded else no_work(),
        earlier=str(given["earlier"]) if recorded else None,
    )


def _with_margins(settings: Settings, margins: Sequence[tuple[str, float]]) -> Settings:
    verdict = settings.verdict
    for gate, margin in margins:
        known = [name for name in verdict.__struct_fields__ if hasattr(getattr(verdict, name), "margin")]
        if gate not in known:
            raise ConfigError(f"no gate is called {gate}", where="--margin", remedy=f"It is one of: {', '.join(known)}")
        section: msgspec.Struct = getattr(verdict, gate)
        verdict = msgspec.structs.replace(verdict, **{gate: msgspec.structs.replace(section, margin=margin)})
    try:  # replacing checks nothing: a rate's margin is a fraction
        return msgspec.convert(msgspec.to_builtins(msgspec.structs.replace(settings, verdict=verdict)), Settings)
    except msgspec.ValidationError as error:
        problem = converted_problem(error, Settings)
        raise ConfigError(f"a margin is out of range: {problem}", where="--margin", remedy="0.05 is 5 points") from None


def _recorded(folder: Path | None) -> "Recorded | None":
    from harness.analysis.powerplan import Recorded  # noqa: PLC0415
    from harness.analysis.trials import judge_side  # noqa: PLC0415
    from harness.cli.judging import recorded_case  # noqa: PLC0415

    if folder is None:
        return None
    case = recorded_case(folder)
    trials = [item.trial for item in judge_side(case.reference, case.golden) if item.trial.is_judged]
    if not trials:
        raise ConfigError("the run holds no judged request", where=str(folder), remedy="Give a run that went further")
    return Recorded(golden=case.golden, trials=trials)


def _as_json(outlook: _Outlook) -> dict[str, Any]:
    looks = outlook.plan.looks
    return {
        "golden": {
            "name": outlook.golden.name,
            "sha256": outlook.golden.sha256,
            "prompts": len(outlook.golden.prompts),
        },
        "from": outlook.earlier,
        "looks": {"scheme": looks.scheme.value, "alphas": looks.alphas, "repeats": looks.repeats},
        "gates": msgspec.to_builtins(outlook.gates),
        "never_shown": list(outlook.never),
        "sides": {
            arm.value: {"name": outlook.endpoints[arm].name, **msgspec.to_builtins(found)}
            for arm, found in outlook.estimates.items()
        },
        "expected_per_side": msgspec.to_builtins(outlook.work),
        "notes": outlook.notes,
    }


def _lines(outlook: _Outlook) -> Iterator[str]:
    from harness.cli.screen import columns  # noqa: PLC0415
    from harness.cli.texttable import grid, paragraph  # noqa: PLC0415

    n = sum(outlook.plan.repeats.values())
    yield from paragraph(f"{len(outlook.golden.prompts)} prompts, {n} judged requests per side; nothing was sent")
    yield ""
    measured = any(rate.is_measured for gate in outlook.gates for rate in gate.rates)
    first = "measured" if measured else "100"
    heads = (
        "gate",
        "role",
        "n",
        "needs",
        "for 80 %",
        "margin",
        f"PASS if equal, reference at {first} / 97 / 90 %",
        "finds",
    )
    yield from grid(heads, [_row(gate) for gate in outlook.gates], columns())
    yield ""
    for gate in outlook.gates:
        if gate.demoted_because:
            yield from paragraph(f"informative only: {gate.demoted_because}", first="- ", rest="  ")
    for line in outlook.never:
        yield from paragraph(line, first="- ", rest="  ")
    yield ""
    yield from _cost_lines(outlook)
    yield ""
    for note in outlook.notes:
        yield from paragraph(note)


def _row(gate: "GateOutlook") -> tuple[str, ...]:
    role = "informative only" if gate.demoted_because else "required" if gate.is_required else "informative"
    needed = "never" if gate.needed is not None and gate.needed >= _NEVER else f"{gate.needed or ''}"
    enough = "" if gate.needed_for_power is None else f"{gate.needed_for_power}"
    if gate.missing is not None:
        return (gate.title, role, f"{gate.n}", needed, "", _margin(gate), gate.missing, "")
    if gate.ratio is not None:
        assumed = " (assumed times)" if gate.ratio.is_assumed else ""
        chance, finds = f"{_percent(gate.ratio.chance_to_pass)}{assumed}", f"{gate.ratio.smallest_ratio:.2f}×"
    else:
        chance = " / ".join(_percent(rate.chance_to_pass) for rate in gate.rates)
        finds = " / ".join(_loss(rate) for rate in gate.rates) + " points"
    at = f" (measured {_percent(gate.rates[0].rate)})" if gate.rates and gate.rates[0].is_measured else ""
    return (gate.title, role, f"{gate.n}", needed, enough, _margin(gate), f"{chance}{at}", finds)


def _margin(gate: "GateOutlook") -> str:
    unit = {"ratio": "×", "share": " %"}.get(gate.kind.value, " points")
    return f"{gate.margin if unit == '×' else gate.margin * 100:g}{unit}"


def _loss(rate: "RateOutlook") -> str:
    return "none" if rate.smallest_loss is None else f"{100 * rate.smallest_loss:.1f}"


def _percent(fraction: float) -> str:
    text = f"{100 * fraction:.0f}"
    if text == "100" and fraction < 1:
        return "> 99 %"
    return f"{text} %"


def _cost_lines(outlook: _Outlook) -> Iterator[str]:
    from harness.cli.announcing import estimate_line  # noqa: PLC0415
    from harness.cli.texttable import paragraph  # noqa: PLC0415

    for arm, found in outlook.estimates.items():
        yield from paragraph(f"{arm} {outlook.endpoints[arm].name}: {estimate_line(found)}", rest="  ")
        if expected := _expected(outlook, arm):
            yield from paragraph(expected, first="  ", rest="  ")
    minutes = outlook.work.minutes
    told = f"about {minutes.value:.1f} min, both sides at once" if minutes.value is not None else minutes.reason
    yield from paragraph(f"time: {told}")
    looks = outlook.plan.looks
    alphas = ", ".join(f"{100 * alpha:.2g} %" for alpha in looks.alphas)
    told = f"looks: {len(looks.alphas)} planned, one-sided error rates {alphas}; the figures above are of the first"
    yield from paragraph(told)


def _expected(outlook: _Outlook, arm: Arm) -> str:
    """Say what the judged requests would use, were both sides as the recorded reference."""
    asked, answered = outlook.work.prompt_tokens.value, outlook.work.completion_tokens.value
    if asked is None or answered is None:
        return ""
    tokens = f"judged requests, if like the recorded ones: {asked:,.0f} prompt and {answered:,.0f} completion tokens"
    prices = outlook.endpoints[arm].prices
    if prices is None:
        return tokens
    n = sum(outlook.plan.repeats.values())
    money = (asked * prices.input_per_mtok + answered * prices.output_per_mtok) / 1_000_000 + n * prices.per_request
    return f"{tokens}, {money_words(money)} {prices.currency}"
