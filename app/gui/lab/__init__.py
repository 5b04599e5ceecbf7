"""The page of the β laboratory."""
