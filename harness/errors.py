"""What can go wrong for our user, as a tree with an exit code at each leaf.

BenchError                 70  an internal error: a bug of ours
├── ConfigError             2  the command line or a file is wrong; nothing was sent
│   └── DamagedFileError    2  a recorded file cannot be read
├── IncompleteRunError     75  the run could not complete (lock, disk)
│   └── StoppedRunError    75  it ended itself: a budget was spent, an endpoint is dead
└── InterruptedRunError   130  the user stopped the run

What an endpoint does wrong is data (`model.record.FailureKind`), never one of these.
"""

from pathlib import Path


class BenchError(Exception):
    """Any error that ends a command; `exit_code` is the process's."""

    exit_code = 70


class ConfigError(BenchError):
    """A mistake in what the user gave: says the thing, the value, the place and the remedy."""

    exit_code = 2

    def __init__(self, problem: str, *, where: str | None = None, remedy: str | None = None) -> None:
        """Keep the three parts so that a page and a terminal can lay them out."""
        super().__init__(problem)
        self.problem = problem
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        """Give one paragraph: where, what, remedy."""
        head = f"{self.where}: {self.problem}" if self.where else self.problem
        return f"{head}. {self.remedy}" if self.remedy else head


class DamagedFileError(ConfigError):
    """A recorded file is not what its format says; names the file and the byte or line."""


class IncompleteRunError(BenchError):
    """The run ended before its plan did, for a reason outside the endpoints."""

    exit_code = 75


class StoppedRunError(IncompleteRunError):
    """The run started nothing more and let what was in flight come to its end."""

    folder: Path | None = None  # of the run, once it is closed


class InterruptedRunError(BenchError):
    """The user ended the run; what was recorded stays usable."""

    exit_code = 130

    def __init__(self, problem: str, *, folder: Path | None = None) -> None:
        """Keep where the run was recorded, for whoever reports what there is."""
        super().__init__(problem)
        self.folder = folder
