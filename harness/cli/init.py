"""`bench init`: two endpoint files and a first golden set, tried out."""

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.cli.helppage import SectionedCommand
from harness.cli.screen import say
from harness.errors import ConfigError, IncompleteRunError
from harness.model.record import Arm

if TYPE_CHECKING:
    from harness.cli.initfiles import Side
    from harness.model.endpoint import Endpoint

_ARMS = (Arm.REFERENCE, Arm.CANDIDATE)
_UNKNOWN_MODEL = "unknown"


@click.command(cls=SectionedCommand)
@click.option("--reference-url", metavar="URL", help="Base URL of the reference, usually ending in /v1.")
@click.option("--reference-model", metavar="MODEL", help="Model to ask it for; its own list is offered when left out.")
@click.option("--candidate-url", metavar="URL", help="Base URL of the candidate.")
@click.option("--candidate-model", metavar="MODEL", help="Model to ask it for.")
@click.option("--key-variable", metavar="NAME", help="Environment variable with the key of both; never the key.")
@click.option("--reference-key-variable", metavar="NAME", help="The reference's, where each has its own.")
@click.option("--candidate-key-variable", metavar="NAME", help="The candidate's.")
@click.option(
    "--prompts",
    "golden_set",
    type=click.Choice(("short", "whole", "none")),
    default="short",
    show_default=True,
    help="First golden set: 20 of the shipped prompts, all of them, or none.",
)
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    metavar="FOLDER",
    help="Folder of the files; this one by default.",
)
@click.option("--yes", is_flag=True, help="Ask nothing: what is not given is left out, or refused by name.")
@click.option("--no-smoke", is_flag=True, help="Send nothing: no look at /models, no smoke test.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
def init(**given: Any) -> int:
    """Write a.yml, b.yml and golden.yml for two endpoints, and try each with a completion, a stream and a tool call.

    Asks for what is not given as an option. Keys stay in the environment: the files name the variable that holds them.
    A smoke test says its cost before it is sent; its evidence is a probe folder in results/.

    \b
    Example:
        bench init --reference-url https://api.openai.com/v1 --reference-model gpt-4o-mini \\
            --candidate-url http://127.0.0.1:8000/v1 --reference-key-variable OPENAI_API_KEY
    """
    from harness.cli.initfiles import FILES, endpoint_of, names_of  # noqa: PLC0415  # keeps --help light

    folder: Path = given["folder"]
    _refuse_existing(folder, given)
    sides = {arm: _complete(_asked_side(arm, given), given) for arm in _ARMS}
    names = names_of({arm: side.base_url for arm, side in sides.items()}, {arm: s.model for arm, s in sides.items()})
    sides = {arm: replace(side, name=names[arm]) for arm, side in sides.items()}
    endpoints = {arm: endpoint_of(side) for arm, side in sides.items()}
    _write(folder, sides, given)
    failed = [] if given["no_smoke"] else [arm for arm in _ARMS if not _smoke(endpoints[arm], sides[arm], folder)]
    if failed:
        raise IncompleteRunError(
            f"the smoke test failed: the {' and the '.join(failed)} cannot be measured yet. Mend "
            f"{' and '.join(str(folder / FILES[arm]) for arm in failed)} and try: "
            f"bench probe {shlex.join(str(folder / FILES[arm]) for arm in failed)} --probe chat --probe stream"
        )
    _say_next(folder, given)
    return 0


def _refuse_existing(folder: Path, given: dict[str, Any]) -> None:
    """Nothing that a person wrote is replaced, and nothing is asked for in vain."""
    from harness.cli.initfiles import FILES, GOLDEN  # noqa: PLC0415

    names = [*FILES.values(), *([] if given["golden_set"] == "none" else [GOLDEN])]
    there = [str(folder / name) for name in names if (folder / name).exists()]
    if there and not given["force"]:
        raise ConfigError(
            f"{' and '.join(there)} exist{'s' if len(there) == 1 else ''} already",
            remedy="Give another folder with --out, or --force to replace",
        )


def _asked_side(arm: Arm, given: dict[str, Any]) -> "Side":
    """Take a side's address and key from the options, or ask for them; the model may come later."""
    from harness.cli.initfiles import Side  # noqa: PLC0415

    return Side(arm=arm, base_url=_url(arm, given), model=given[f"{arm}_model"] or "", variable=_variable(arm, given))


def _url(arm: Arm, given: dict[str, Any]) -> str:
    """Take the base URL, with every check that its file will meet."""
    from harness.cli.initasking import asked, asked_until_read  # noqa: PLC0415
    from harness.cli.initfiles import Side, endpoint_of  # noqa: PLC0415

    option, question = f"--{arm}-url", f"Base URL of the {arm}"

    def read(url: str) -> str:
        endpoint_of(Side(arm=arm, base_url=url, model=_UNKNOWN_MODEL, variable=None, name="init"))
        return url

    if given[f"{arm}_url"] is None and not given["yes"]:
        return asked_until_read(question, option, read)
    try:
        return read(given[f"{arm}_url"] or asked(question, option, may_ask=False))
    except ConfigError as error:
        raise ConfigError(error.problem, where=option if error.where else None, remedy=error.remedy) from None


def _variable(arm: Arm, given: dict[str, Any]) -> str | None:
    """Take the name of the variable with the key; None: no key is sent."""
    from harness.cli.initasking import asked_until_read, variable_name  # noqa: PLC0415

    own, both = f"{arm}_key_variable", "key_variable"
    option = own if given[own] is not None or given[both] is None else both
    variable = given[option]
    is_said = any(given[name] for name in (both, *(f"{a}_key_variable" for a in _ARMS)))
    if variable is None and not given["yes"] and not is_said:
        question = f"Environment variable with the key of the {arm} (empty: it needs none)"
        return asked_until_read(
            question, f"--{arm}-key-variable", lambda typed: variable_name(typed) if typed else None, default=""
        )
    return variable_name(variable, f"--{option.replace('_', '-')}") if variable else None


def _complete(side: "Side", given: dict[str, Any]) -> "Side":
    """Look at the endpoint's list of models where that is allowed: it corrects an address and names models."""
    from harness.cli.initasking import agreed, asked, chosen_model  # noqa: PLC0415
    from harness.cli.initfiles import endpoint_of  # noqa: PLC0415
    from harness.cli.smoke import better_url, reach  # noqa: PLC0415

    option, may_ask = f"--{side.arm}-model", not given["yes"]
    endpoint = endpoint_of(replace(side, name="init", model=side.model or _UNKNOWN_MODEL))
    if given["no_smoke"] or _lacks_key(side):
        model = side.model or asked(f"Model of the {side.arm}", option, may_ask=may_ask)
        return replace(side, model=model)
    found = reach(endpoint)
    url = better_url(endpoint, found)
    if url is not None:
        say(f"{side.base_url} answers 404, {url} does not: the {side.arm}'s base URL is most likely the latter.")
        if agreed("Use it?", is_yes=given["yes"]):
            side = replace(side, base_url=url)
            found = reach(endpoint_of(replace(side, name="init", model=side.model or _UNKNOWN_MODEL)))
    if found.trouble and found.status is None:
        if not side.model and not may_ask:
            raise ConfigError(
                f"the {side.arm} could not be reached, so that it could not be asked for its models: {found.trouble}",
                where=side.base_url,
                remedy=f"Start it, or mend --{side.arm}-url; {option} NAME and --no-smoke do without it",
            )
        say(f"the {side.arm} could not be reached: {found.trouble}")
    if not side.model:
        return replace(side, model=chosen_model(found.models, option, side.arm, may_ask=may_ask))
    if found.models and side.model not in found.models:
        say(f"WARNING: the {side.arm} does not list {side.model!r} among its {len(found.models)} models")
    return side


def _lacks_key(side: "Side") -> bool:
    return side.variable is not None and not os.environ.get(side.variable)


def _write(folder: Path, sides: dict[Arm, "Side"], given: dict[str, Any]) -> None:
    from harness.cli.goldenwriting import write_golden_set, write_text  # noqa: PLC0415
    from harness.cli.initfiles import FILES, GOLDEN, endpoint_text, first_golden_set  # noqa: PLC0415
    from harness.model.goldenfile import load_golden_set  # noqa: PLC0415
    from harness.model.shipped import shipped_golden_set  # noqa: PLC0415

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"cannot be made: {error.strerror}", where=str(folder), remedy="Give another --out") from None
    for arm, side in sides.items():
        write_text(endpoint_text(side), folder / FILES[arm], may_replace=given["force"])
        click.echo(f"wrote  {folder / FILES[arm]}: {side.name}, the {arm}", err=True)
    if given["golden_set"] == "none":
        return
    golden = first_golden_set(load_golden_set(shipped_golden_set()), is_whole=given["golden_set"] == "whole")
    comments = ["Made by bench init from the shipped prompts. Put your own in their place: docs/golden-set.md."]
    write_golden_set(golden, folder / GOLDEN, comments, may_replace=given["force"])
    click.echo(f"wrote  {folder / GOLDEN}: {len(golden.prompts)} prompts", err=True)


def _smoke(endpoint: "Endpoint", side: "Side", folder: Path) -> bool:
    """Try one endpoint; one whose key is not there is left out aloud."""
    from harness.cli.smoke import announce_smoke, say_smoke, smoke  # noqa: PLC0415

    if _lacks_key(side):
        say(f"no smoke test of {endpoint.name}: {side.variable} is not set. Export it before you compare")
        return True
    announce_smoke(endpoint)
    return say_smoke(endpoint, smoke(endpoint, folder / "results"))


def _say_next(folder: Path, given: dict[str, Any]) -> None:
    from harness.cli.initfiles import SHORT_SET  # noqa: PLC0415

    golden = "" if given["golden_set"] == "none" else " --golden golden.yml"
    into = "" if folder == Path() else f"cd {shlex.quote(str(folder))} && "
    if given["golden_set"] == "short":
        say(
            f"{SHORT_SET} prompts show latency, failures and answers; tool calls and valid JSON have too few trials in "
            "them to be judged at the default margins: --prompts whole has enough, and takes about twice the requests"
        )
    click.echo("next, what a comparison could show and what it costs, then the comparison:")
    click.echo(f"  {into}bench plan a.yml b.yml{golden}")
    click.echo(f"  {into}bench compare a.yml b.yml{golden}")
