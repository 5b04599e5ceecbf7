"""Files that are shipped: weights and the sample clip. See README.md beside this file."""
