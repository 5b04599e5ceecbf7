"""`posescope replay`: one clip through every decoder and filter, on the same crops."""
