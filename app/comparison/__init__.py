"""What `posescope evaluate` and `posescope replay` share: variants of decoders, resampling, and the report's page."""
