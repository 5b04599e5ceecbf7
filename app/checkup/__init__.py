"""Examines the computer for what keeps PoseScope from working well. Neither Qt nor any heavy package is needed."""
