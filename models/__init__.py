"""Pose networks in torch and the decoders that read their heatmaps. Knows nothing of Qt or of the app."""
