"""Says of a key that cannot be had at which place of which file it is asked for."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.errors import ConfigError
from harness.model.yamlfile import read_yaml


@contextmanager
def naming_files(files: Mapping[str, Path]) -> Iterator[None]:
    """Put file and line in place of an endpoint's name: composing knows an endpoint, and not the file it came from."""
    try:
        yield
    except ConfigError as error:
        name, _, key = (error.where or "").partition(": ")
        if not key or name not in files:
            raise
        raise ConfigError(error.problem, where=read_yaml(files[name]).where(f"$.{key}"), remedy=error.remedy) from None
