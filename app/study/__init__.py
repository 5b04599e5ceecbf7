"""`posescope study`: how robust debiased IPR is, and how the decoders compare on still pictures."""
