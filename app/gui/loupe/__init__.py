"""A magnifying glass on one joint's heatmap."""
