"""Says what measured: versions, system, kernel, CPU, revision, time zone."""

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.clock import Clock

VANTAGE = "BENCH_VANTAGE"
_PACKAGES = ("bench-harness", "openai", "httptools", "asyncio-throttle", "msgspec", "uvloop")


def provenance(clock: Clock) -> dict[str, Any]:
    """Collect what a reader needs to judge or repeat the run; no user name, no address."""
    return {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "host": _host(),
        **_vantage(os.environ),
        "git_revision": _git_revision(),
        "time_zone": str(clock.now().astimezone().tzinfo),
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _host() -> str:
    """Tell this machine from others without naming it: a digest of its id and name."""
    try:
        machine_id = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine_id = ""
    return hashlib.sha256(f"bench host {machine_id} {platform.node()}".encode()).hexdigest()[:12]


def _vantage(environ: Mapping[str, str]) -> dict[str, str]:
    """Give what the user calls the place, as in `eu-west-1 runner`; nothing where it has no name."""
    named = environ.get(VANTAGE, "").strip()
    return {"vantage": named} if named else {}


def _cpu_model() -> str | None:
    """Read the CPU's name where the system gives it as text."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or None
    return platform.processor() or None


def _git_revision() -> str | None:
    """Give the harness's own revision when it runs from a checkout, with `+` for local changes."""
    here = Path(__file__).resolve().parent
    if not (here.parent.parent / ".git").exists():
        return None
    revision = _git(here, "rev-parse", "HEAD")
    is_changed = bool(_git(here, "status", "--porcelain", "--untracked-files=no"))
    return f"{revision}+" if revision and is_changed else revision


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603  # fixed words
            ["git", "-C", str(folder), *words],  # noqa: S607  # the user's own git
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
