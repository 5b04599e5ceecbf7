"""`python -m app` and the command `posescope`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.cli import run_command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run_command_line(sys.argv[1:] if arguments is None else list(arguments))


if __name__ == "__main__":
    sys.exit(main())
