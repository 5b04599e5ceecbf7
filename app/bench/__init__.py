"""`posescope bench`: the same frames through every engine that is present, timed side by side."""
