"""Pose networks in torch and the decoders that read their heatmaps. Knows nothing of Qt or of the app."""

import os

# Before torch is imported: by default its threads spin while they wait for each other. As soon as anything else wants
# a core (a browser, the encoder, the window), that made a frame of 17 ms take 0.8 s on two cores; sleeping, 0.06 s.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
