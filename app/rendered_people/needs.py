"""Whether what only rendered people need is installed."""

from __future__ import annotations

from importlib.util import find_spec

from app.errors import UserError

# Modules and the names of their packages: the extra `rendered-people`.
_NEEDED = {"anny": "anny", "moderngl": "moderngl", "PIL": "pillow", "scipy": "scipy"}


def check_installed() -> None:
    """UserError that says what to install, where a package is missing. Imports none of them."""
    missing = [package for module, package in _NEEDED.items() if find_spec(module) is None]
    if missing:
        *others, last = missing
        names = f"{', '.join(others)} and {last}" if others else last
        raise UserError(
            f"Rendered people need {names}, not installed here: "
            "“python -m pip install 'posescope[rendered-people]'” brings what is missing."
        )
