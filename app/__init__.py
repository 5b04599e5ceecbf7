"""PoseScope: an oscilloscope for pose decoders."""

__version__ = "0.1.0"
