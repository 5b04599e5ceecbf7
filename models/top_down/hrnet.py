"""HRNet: branches of several resolutions side by side, fused again and again; heatmaps from the highest.

Sun, Xiao, Liu and Wang, Deep High-Resolution Representation Learning for Human Pose Estimation, CVPR 2019. Parameter
names are those of the authors' pose_hrnet.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from models.top_down.blocks import BasicBlock, Bottleneck, bottlenecks

_BLOCKS_PER_BRANCH = 4
# Modules of stages 2, 3 and 4, which have 2, 3 and 4 branches.
_MODULES = (1, 4, 3)
_STEM = 64


class HRNet(nn.Module):
    """Normalised RGB (N, 3, H, W) -> heatmaps (N, joints, H / 4, W / 4), as regressed: about 0 to 1, not clipped.

    width: channels of the branch of the highest resolution, 32 or 48; each lower branch has twice as many as the one
    above. H and W are multiples of 32.
    """

    def __init__(self, width: int, joints: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, _STEM, 3, 2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(_STEM)
        self.conv2 = nn.Conv2d(_STEM, _STEM, 3, 2, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(_STEM)
        self.layer1 = bottlenecks(_STEM, _STEM, 4)
        widths = [width * 2**i for i in range(len(_MODULES) + 1)]
        self.transition1 = nn.ModuleList(
            [
                _convolution(_STEM * Bottleneck.expansion, widths[0]),
                nn.Sequential(_convolution(_STEM * Bottleneck.expansion, widths[1], stride=2)),
            ]
        )
        self.transition2 = _new_branch(widths[:3])
        self.transition3 = _new_branch(widths[:4])
        self.stage2, self.stage3 = (
            nn.Sequential(*(_Exchange(widths[: i + 2], i + 2) for _ in range(_MODULES[i]))) for i in range(2)
        )
        # After the last one nothing looks at the lower branches.
        self.stage4 = nn.Sequential(*(_Exchange(widths, 1 if i == _MODULES[2] - 1 else 4) for i in range(_MODULES[2])))
        self.final_layer = nn.Conv2d(width, joints, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer1(F.relu(self.bn2(self.conv2(x))))
        branches: list[Tensor] = self.stage2([transition(x) for transition in self.transition1])
        branches = self.stage3([*branches, self.transition2[-1](branches[-1])])
        branches = self.stage4([*branches, self.transition3[-1](branches[-1])])
        heatmaps: Tensor = self.final_layer(branches[0])
        return heatmaps


class _Exchange(nn.Module):
    """Blocks on each branch, then each of the first `outputs` branches becomes the sum of all.

    Lists of tensors in and out, each branch with half the resolution of the one before.
    """

    def __init__(self, widths: Sequence[int], outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(*(BasicBlock(width) for _ in range(_BLOCKS_PER_BRANCH))) for width in widths
        )
        self.fuse_layers = nn.ModuleList(
            nn.ModuleList(_way(widths, source, target) for source in range(len(widths))) for target in range(outputs)
        )

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        seen = [branch(x) for branch, x in zip(self.branches, inputs, strict=True)]
        return [F.relu(self._sum(seen, target)) for target in range(len(self.fuse_layers))]

    def _sum(self, seen: list[Tensor], target: int) -> Tensor:
        ways = self.fuse_layers[target]
        assert isinstance(ways, nn.ModuleList)
        total: Tensor = ways[0](seen[0])
        for way, x in zip(ways[1:], seen[1:], strict=True):
            total = total + way(x)
        return total


def _way(widths: Sequence[int], source: int, target: int) -> nn.Module:
    """From one branch to another: enlarged from a lower one, strided convolutions from a higher one."""
    if source == target:
        return nn.Identity()
    if source > target:
        return nn.Sequential(
            nn.Conv2d(widths[source], widths[target], 1, bias=False),
            nn.BatchNorm2d(widths[target]),
            nn.Upsample(scale_factor=2.0 ** (source - target), mode="nearest"),
        )
    steps = [_convolution(widths[source], widths[source], stride=2) for _ in range(target - source - 1)]
    return nn.Sequential(*steps, _convolution(widths[source], widths[target], stride=2, relu=False))


def _new_branch(widths: Sequence[int]) -> nn.ModuleList:
    """The way to the lowest branch from the one above; the branches that were there before go on as they are."""
    as_they_are = [nn.Identity() for _ in widths[:-1]]
    return nn.ModuleList([*as_they_are, nn.Sequential(_convolution(widths[-2], widths[-1], stride=2))])


def _convolution(inputs: int, outputs: int, *, stride: int = 1, relu: bool = True) -> nn.Sequential:
    layers = [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs)]
    return nn.Sequential(*layers, *([nn.ReLU()] if relu else []))
