from __future__ import annotations

import pytest

from models.blazepose import JOINT_COUNT
from models.skeletons import BLAZEPOSE_33, COCO_17, COCO_FROM_BLAZEPOSE, side_of


@pytest.mark.parametrize(("skeleton", "count"), [(BLAZEPOSE_33, JOINT_COUNT), (COCO_17, 17)])
def test_names_limbs_and_sides(skeleton, count):
    assert len(set(skeleton.joints)) == count
    assert {joint for limb in skeleton.limbs for joint in limb} == set(skeleton.joints)
    for i, j in enumerate(skeleton.mirrored):
        assert skeleton.mirrored[j] == i
        assert {side_of(skeleton.joints[i]), side_of(skeleton.joints[j])} in ({"left", "right"}, {"middle"})
    left = [limb for limb in skeleton.limb_indices if all(side_of(skeleton.joints[j]) == "left" for j in limb)]
    for a, b in left:
        assert (skeleton.mirrored[a], skeleton.mirrored[b]) in skeleton.limb_indices


def test_coco_order_is_that_of_the_data_set():
    # Indices as published with MediaPipe's 33 landmarks.
    assert COCO_FROM_BLAZEPOSE == (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
