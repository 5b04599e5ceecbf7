"""Jitter and bias of every joint."""
