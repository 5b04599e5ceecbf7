"""`posescope train`: heads that are trained through the decoder that reads them."""
