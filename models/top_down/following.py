"""Where the next crop is, and whether somebody is in this one, from the heatmaps' peaks alone.

SimpleBaseline and HRNet were made for one picture: they say neither. What is here stands in for it, so that people are
followed as BlazePose's are; it does not depend on the decoder that is shown. Plain numpy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.regions import Region
from models.skeletons import COCO_17

# A joint counts from this height of its heatmap's peak, as in the meters.
SURE = 0.3
# A person's presence is the mean peak of so many of the surest joints: head and shoulders have seven.
_PRESENCE_JOINTS = 6
# In px: a body that is smaller than twice this has nothing left to see.
_LEAST_RADIUS = 4.0

# Proportions of a standing body: Drillis and Contini, Body Segment Parameters, 1966, as shares of the height: shoulders
# at .818, hips at .530, ankles at .039; the shoulders .258 apart.
_TORSO = 0.818 - 0.530
_RADIUS_PER_TORSO = 0.530 / _TORSO
_TORSO_PER_SHOULDERS = _TORSO / 0.258
_RADIUS_PER_JOINTS = 0.530 / (0.530 - 0.039)

_SHOULDERS = [COCO_17.index["left_shoulder"], COCO_17.index["right_shoulder"]]
_HIPS = [COCO_17.index["left_hip"], COCO_17.index["right_hip"]]


def presence_of(scores: NDArray[np.floating]) -> NDArray[np.float32]:
    """(N,), 0 to 1, from the peaks (N, 17) of the heatmaps, 0 to 1: the mean of the six surest."""
    surest = np.sort(scores, axis=1)[:, -_PRESENCE_JOINTS:]
    return np.asarray(surest.mean(1), np.float32)


def alignment_points(
    peaks: NDArray[np.floating], scores: NDArray[np.floating], region: Region, largest: float
) -> NDArray[np.float32]:
    """(2, 2) in shares of the crop: the middle of the hips, and the point straight above it, in the picture, on the
    circle around the body, as `models.regions.region_from_alignment` takes them; the crop so stays upright.

    peaks: (17, 2) shares of the crop at `region`, joints as in COCO_17; scores: (17,), 0 to 1. largest: radius of the
    circle in px that is never exceeded, whatever a network sees.

    The circle holds every sure joint, with what is beyond ankles and wrists; across, what the crop's aspect leaves. It
    is never smaller than a standing body whose torso is as long as the one seen, so that legs that were out of sight
    are in the crop when they come back. Hips that are not sure lie below the shoulders; without shoulders the crop
    stays where it is.
    """
    points, sure = region.to_image(peaks), np.asarray(scores) >= SURE
    sure &= np.isfinite(points).all(1)
    shoulders, hips = (points[[joint for joint in pair if sure[joint]]] for pair in (_SHOULDERS, _HIPS))
    torso = _TORSO_PER_SHOULDERS * float(np.linalg.norm(shoulders[1] - shoulders[0])) if len(shoulders) == 2 else 0.0
    if len(hips):
        center = hips.mean(0)
        if len(shoulders):
            torso = max(torso, float(np.linalg.norm(shoulders.mean(0) - center)))
    elif len(shoulders):
        # Shoulders seen from the side are close together: at least half of what was there before.
        torso = max(torso, 0.5 * region.body_size / 2 / _RADIUS_PER_TORSO)
        center = shoulders.mean(0) + np.array([0.0, torso])
    else:
        center, torso = region.to_image(np.array([0.5, 0.5])), region.body_size / 2 / _RADIUS_PER_TORSO
    away = np.abs(points[sure] - center) / (region.aspect, 1.0)
    radius = max(_RADIUS_PER_TORSO * torso, _RADIUS_PER_JOINTS * float(away.max(initial=0.0)))
    radius = min(max(radius, _LEAST_RADIUS), largest)
    return region.to_crop(np.stack((center, center - np.array([0.0, radius])))).astype(np.float32)
