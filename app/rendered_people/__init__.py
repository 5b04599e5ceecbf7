"""People with known joints, rendered: the shipped clip again, and random scenes. See README.md beside this file."""
