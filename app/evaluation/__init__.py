"""`posescope evaluate`: every decoder on annotated people, split as the paper splits them."""
