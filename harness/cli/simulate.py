"""`bench simulate`: an endpoint with known truth on this machine."""

from pathlib import Path

import click


@click.command()
@click.argument("profile", type=click.Path(path_type=Path))
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@click.option("--golden", type=click.Path(path_type=Path), help="Golden set whose examples it answers with.")
@click.option("--truth", type=click.Path(path_type=Path), help="Log of what was really sent, and when (JSON lines).")
@click.option("--seed", type=click.IntRange(0), help="Seed of every random choice, in place of the profile's.")
def simulate(profile: Path, port: int, golden: Path | None, truth: Path | None, seed: int | None) -> int:
    """Serve an OpenAI-compatible endpoint that behaves as PROFILE says, until Ctrl-C.

    PROFILE is a file or the name of a shipped profile: sim-h100, sim-a100, ...

    \b
    Example:
        bench simulate sim-h100 --port 8101 --truth truth.jsonl
    """
    from harness.model.shipped import shipped_profile  # noqa: PLC0415  # keeps --help light
    from harness.simulator.__main__ import serve_profile  # noqa: PLC0415

    file = profile if profile.exists() else shipped_profile(str(profile))
    return serve_profile(file, port=port, golden=golden, truth=truth, seed=seed)
