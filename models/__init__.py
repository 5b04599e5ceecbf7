"""Pose networks in torch and the decoders that read their heatmaps. Knows nothing of Qt or of the app."""

import os

# Before torch is imported: by default its threads spin while they wait for each other. As soon as anything else wants
# a core (a browser, the encoder, the window), that made a frame of 20 ms take up to 4 s on two cores. Sleeping
# instead keeps it near 30 ms.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
