"""Serves a profile: in the foreground for a person, or as a child process for a program."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from harness.errors import ConfigError
from harness.simulator.profile import Profile
from harness.simulator.serving import read_serving, serve


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """The one line that a child process writes when it listens."""

    port: int
    base_url: str


def serve_profile(file: Path, *, port: int, golden: Path | None, truth: Path | None, seed: int | None = None) -> int:
    """Serve in the foreground until Ctrl-C or SIGTERM; print where, and an endpoint file to paste."""
    serving = read_serving(file, golden=golden, truth=truth, seed=seed)

    def announce(bound: int) -> None:
        address = _base_url(bound, serving.profile)
        _write(f"{serving.profile.name} serves at {address} until Ctrl-C. An endpoint file for it:\n\n")
        _write(endpoint_file(serving.profile, bound))

    serve(serving, port=port, ready=announce)
    return 0


def endpoint_file(profile: Profile, port: int) -> str:
    """Give an endpoint file for a profile that is served on a port."""
    lines = [f"name: {profile.name}", f"base_url: {_base_url(port, profile)}", f"model: {profile.model}"]
    if profile.api_key:
        lines.append(f"api_key: {profile.api_key}")
    if profile.rate_limit:
        lines.append(f"limits: {{requests_per_minute: {profile.rate_limit.requests_per_minute}}}")
    if profile.cold:
        lines.append("cold: {scales_to_zero: true}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m harness.simulator PROFILE`: a child that says when it listens and ends with its parent."""
    given = _parser().parse_args(arguments)
    try:
        serving = read_serving(given.profile, golden=given.golden, truth=given.truth, seed=given.seed)
        serve(serving, port=given.port, ready=lambda port: announce_ready(port, serving.profile), until_stdin_ends=True)
    except ConfigError as error:
        sys.stderr.write(f"simulator: {error}\n")
        return error.exit_code
    except BrokenPipeError:  # nobody hears where we listen
        return 0
    return 0


def announce_ready(port: int, profile: Profile | None = None) -> None:
    """Tell the parent where we listen; BrokenPipeError when it has gone."""
    line = msgspec.json.encode(Ready(port=port, base_url=_base_url(port, profile))) + b"\n"
    os.write(sys.stdout.fileno(), line)  # unbuffered: nothing is left to fail at the interpreter's end


def _base_url(port: int, profile: Profile | None) -> str:
    scheme = "http" if profile is None or profile.tls is None else "https"
    return f"{scheme}://127.0.0.1:{port}/v1"


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m harness.simulator", description=main.__doc__)
    parser.add_argument("profile", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--seed", type=int)
    return parser


if __name__ == "__main__":
    sys.exit(main())
