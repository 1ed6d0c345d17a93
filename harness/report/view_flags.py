"""Why a prompt stands where it stands: causes with what to do about each."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.analysis.failures import FAILURE_ADVICE
from harness.analysis.results.estimates import Value
from harness.analysis.results.prompts import PromptRow
from harness.analysis.results.trial import Rung, Trial
from harness.model.record import Arm, FailureKind
from harness.report import format as fmt
from harness.report.attribution import whose_words
from harness.report.promptpage import Flag
from harness.report.untrusted import one_line
from harness.report.view_evidence import kind_words

FAR = 0.25  # agreement lost from which answers count as different
MUCH = 1.25  # ratio from which a prompt counts as slower; the gates have their own margins
_CHECK = 60  # characters of a check's name
RUNG_REMEDIES: Mapping[Rung, str] = {
    Rung.DECISION: "It called where no call was due, or the reverse: compare tool_choice and the chat template.",
    Rung.INVALID_JSON: "The arguments are no JSON: look at the server's tool parser and at max_tokens.",
    Rung.UNKNOWN_NAME: "It called a tool that was not offered: an application must refuse such a call.",
    Rung.SCHEMA_MISMATCH: "The arguments break the tool's schema: guided decoding or `strict` prevents it.",
    Rung.ARGUMENT_MISMATCH: "The call is well formed and its values are others: read them beside what was expected.",
    Rung.PROTOCOL: "The fragments do not make a call: ids, indexes or finish_reason are off; see the findings.",
    Rung.LEAKED_MARKUP: "The call stands in the text: the server's tool parser does not know this model's format.",
    Rung.LOOP: "The call is right, the answer to what the tool returned is not: read the second answer.",
}
_READ = "Read the answers below: wrong, or a check that is stricter than your application needs."
_CUT = "Raise max_tokens for this prompt, or shorten what it asks for."
_REFUSED = "The endpoint refuses what it was asked: look for a content filter before the model."
_DIFFERS = "Read what both sides answer: another model, template, precision or sampling; different is not worse."
_SLOW = "One prompt is a hint, not a finding: see its timeline and the paired ratios of all prompts."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """A side's judged trials of a prompt, and how the side is called."""

    arm: Arm
    name: str
    trials: Sequence[Trial]

    def flag(self, code: str, group: str, words: str, remedy: str) -> Flag:
        return Flag(code=code, group=group, arm=self.arm.value, side=self.name, words=words, remedy=remedy)


def prompt_flags(row: PromptRow, trials: Sequence[Trial], names: Mapping[Arm, str]) -> tuple[Flag, ...]:
    """List the causes of one prompt: what failed, what was wrong, what differs, what is slower."""
    sides = [
        _Side(arm=arm, name=name, trials=[trial for trial in trials if trial.key.arm is arm])
        for arm, name in names.items()
    ]
    own = (flag for side in sides for found in (_failures, _tools, _checks, _ends) for flag in found(side))
    return (*own, *(() if row.candidate is None else _between(row)))


def _failures(side: _Side) -> Iterator[Flag]:
    for kind, n in Counter(trial.failure for trial in side.trials if trial.failure is not None).most_common():
        words = f"{fmt.count(n)} of {fmt.plural(len(side.trials), 'request')} failed: {kind_words(kind)}"
        whose = whose_words(kind)
        remedy = FAILURE_ADVICE[FailureKind(kind)] if kind in set(FailureKind) else ""
        yield side.flag(f"failure/{kind}", "failed", words, f"Points at {whose}. {remedy}" if whose else remedy)


def _tools(side: _Side) -> Iterator[Flag]:
    tried = [trial.tool.rung for trial in side.trials if trial.tool is not None]
    for rung, n in Counter(rung for rung in tried if rung in RUNG_REMEDIES).most_common():
        words = f"{fmt.count(n)} of {fmt.plural(len(tried), 'tool trial')} fell on the rung {rung}"
        yield side.flag(f"tool/{rung}", "tool", words, RUNG_REMEDIES[rung])


def _checks(side: _Side) -> Iterator[Flag]:
    """Count the checks that failed, except those that say a tool trial's rung once more."""
    answered = [trial for trial in side.trials if trial.failure is None]
    failed = Counter(
        check.check
        for trial in answered
        for check in trial.checks
        if not check.passed and not (trial.tool is not None and check.where == f"rung {trial.tool.rung}")
    )
    for check, n in failed.most_common(3):
        name = one_line(check, _CHECK)
        kind = one_line(check.partition(":")[0], _CHECK)
        yield side.flag(
            f"check/{kind}", "check", f"`{name}` failed in {n} of {fmt.plural(len(answered), 'answer')}", _READ
        )


def _ends(side: _Side) -> Iterator[Flag]:
    n_cut = sum(trial.was_truncated is True for trial in side.trials)
    n_refused = sum(trial.was_refused is True for trial in side.trials)
    if n_cut:
        yield side.flag("answer/cut", "check", f"{fmt.plural(n_cut, 'answer')} cut by max_tokens", _CUT)
    if n_refused:
        yield side.flag("answer/refused", "check", f"{fmt.plural(n_refused, 'answer')} refused", _REFUSED)


def _between(row: PromptRow) -> Iterator[Flag]:
    own, across = row.reference.self_agreement.value, row.cross_agreement.value
    if own is not None and across is not None and own - across > FAR:
        words = f"the sides agree in {_share(across)} of pairs, the reference with itself in {_share(own)}"
        yield Flag(code="answers/differ", group="differs", arm="", side="", words=words, remedy=_DIFFERS)
    yield from _slower("slower/ttft", "TTFT", row.ttft_ratio, is_bad_high=True)
    yield from _slower("slower/decode", "decode rate", row.decode_ratio, is_bad_high=False)


def _slower(code: str, title: str, found: Value, *, is_bad_high: bool) -> Iterator[Flag]:
    value = found.value
    if value is not None and (value > MUCH if is_bad_high else value < 1 / MUCH):
        yield Flag(
            code=code,
            group="slower",
            arm="",
            side="",
            words=f"{title} {fmt.ratio(value)} the reference's",
            remedy=_SLOW,
        )


def _share(fraction: float) -> str:
    return fmt.percent(fraction, 0)
