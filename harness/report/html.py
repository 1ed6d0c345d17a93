"""The self-contained page: one file, its own style and script, no network."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from harness.report.memo import MemoView
from harness.report.page import Figure, PromptView, ReportView
from harness.report.plots import draw_figure
from harness.report.probepage import ProbesView
from harness.report.promptpage import Flag
from harness.report.untrusted import visible

_TEMPLATES = "templates"
_CODES_SHOWN = 4


def render_html(view: ReportView) -> str:
    """Render the page; the same view gives the same bytes."""
    environment = _environment()
    style, script = _source(environment, "style.css"), _source(environment, "script.js")
    return environment.get_template("page.html.j2").render(
        view=view,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=content_security_policy(style, script),
        drawings=_drawings(view),
        downloads=_downloads(view),
    )


def render_probes(view: ProbesView) -> str:
    """Render the page of a probing; it has no script."""
    environment = _environment()
    style = _source(environment, "style.css")
    return environment.get_template("probes.html.j2").render(
        view=view,
        style=Markup(style),  # noqa: S704 - our own file
        policy=content_security_policy(style, ""),
    )


def render_simple(template: str, view: object, drawing: str) -> str:
    """Render a page of one drawing, which its writer has escaped; it has no script."""
    environment = _environment()
    style = _source(environment, "style.css")
    return environment.get_template(template).render(
        view=view,
        style=Markup(style),  # noqa: S704 - our own file
        policy=content_security_policy(style, ""),
        drawing=Markup(drawing),  # noqa: S704 - escaped by its writer
    )


def render_memo(view: MemoView) -> str:
    """Render the one-page memo; it has no script."""
    environment = _environment()
    style = _source(environment, "memo.css")
    return environment.get_template("memo.html.j2").render(
        view=view,
        style=Markup(style),  # noqa: S704 - our own file
        policy=f"default-src 'none'; style-src '{_digest(style)}'; img-src data:; base-uri 'none'; form-action 'none'",
    )


def content_security_policy(style: str, script: str) -> str:
    """Allow our own inline style, our own inline script, embedded images; nothing else."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(source: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("harness.report", _TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = _prose
    environment.filters["breakable"] = _breakable
    environment.filters["text"] = _text
    environment.filters["capitalize_first"] = _capitalize_first
    environment.globals["prompt_tags"] = _prompt_tags
    environment.globals["flag_codes"] = _flag_codes
    return environment


def _prose(text: str) -> Markup:
    """Set what stands between backticks as code."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return escape(visible(text))
    return Markup("").join(_code(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def _breakable(name: str) -> Markup:
    """Let a dotted name break after its dots and underscores, where a reader expects it."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[._])(?=\w)", visible(name)))


def _text(text: str) -> Markup:
    """Escape for the inside of an element alone: quotes stay single bytes there, and answers are full of them."""
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return Markup(escaped)  # noqa: S704 - escaped right above


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


def _prompt_tags(prompts: Sequence[PromptView]) -> list[str]:
    """Give what the filter offers: categories and tags, each once; words only, since it splits at blanks."""
    found = {tag for prompt in prompts for tag in (prompt.category, *prompt.tags)}
    return sorted(tag for tag in found if len(tag.split()) == 1)


def _flag_codes(flags: Sequence[Flag]) -> list[str]:
    """Give the causes in short, each once."""
    return list(dict.fromkeys(flag.code for flag in flags))[:_CODES_SHOWN]


def _code(text: str) -> Markup:
    """Set a command so that a line never ends within an option's name."""
    words = (
        Markup("<span>{}</span>").format(word) if word.startswith("-") else escape(word) for word in text.split(" ")
    )
    return Markup("<code>{}</code>").format(Markup(" ").join(words))


def _finalize(value: object) -> object:
    """Make every text visible on its way out, whatever the view let through."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(environment: Environment, name: str) -> str:
    """Read a template folder's file as it stands; a page is hashed with line feeds only."""
    loader = environment.loader
    if loader is None:
        raise LookupError(name)
    return loader.get_source(environment, name)[0].replace("\r\n", "\n").strip()


def _figures(view: ReportView) -> tuple[Figure, ...]:
    levels = (view.levels.figure, *view.levels.tails) if view.levels else ()
    found = (view.forest, *view.figures, *view.paired, view.overtime, view.divergence, *levels)
    return tuple(figure for figure in found if isinstance(figure, Figure))


def _drawings(view: ReportView) -> Mapping[str, Markup]:
    return {figure.id: Markup(draw_figure(figure)) for figure in _figures(view)}  # noqa: S704 - escaped by its writer


def _downloads(view: ReportView) -> Mapping[str, str]:
    return {
        figure.id: f"data:text/csv;charset=utf-8;base64,{base64.b64encode(figure.csv.encode()).decode()}"
        for figure in _figures(view)
    }
