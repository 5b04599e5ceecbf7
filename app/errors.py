"""The app's errors that a user can act on; each carries one clear sentence."""

from models.errors import UserError


class SourceError(UserError):
    """A source of frames that cannot be opened, or failed while it was read."""


class OutputError(UserError):
    """A file that cannot be written."""


__all__ = ["OutputError", "SourceError", "UserError"]
