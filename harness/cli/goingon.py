"""The words of a command line that a run's plan does not hold: what its `--resume` must be given again."""

from collections.abc import Iterator

import click
from click.core import ParameterSource

_KEPT = frozenset(
    (
        *("out", "reports", "ledger", "settings", "recorded_timings", "probes", "skip_preflight", "twin"),
        *("markdown", "junit", "requests", "prometheus", "step_summary", "log", "heartbeat", "lock"),
    )
)
_PRESETS = ("quick", "certify", "sequential")  # they lay margins over the settings file's: --resume would refuse it


def kept_words() -> list[str]:
    """Give the options of the command that runs that it was given and that the run does not hold itself."""
    context = click.get_current_context(silent=True)
    if context is None:
        return []
    is_preset = any(context.params.get(name) for name in _PRESETS)
    options = (one for one in context.command.params if isinstance(one, click.Option) and one.name in _KEPT)
    return [
        word for option in options if not (is_preset and option.name == "settings") for word in _words(option, context)
    ]


def _words(option: click.Option, context: click.Context) -> Iterator[str]:
    name = option.name or ""
    if context.get_parameter_source(name) in (ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP, None):
        return
    value = context.params.get(name)
    if option.is_flag:
        yield from [option.opts[0]] if value else []
        return
    for one in value if isinstance(value, tuple | list) else (value,):
        yield from (option.opts[0], str(one))
