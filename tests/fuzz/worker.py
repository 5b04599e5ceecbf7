"""Tries damaged inputs in a process of its own, which may crash, hang or run out of memory.

`echo 123 | python -m tests.fuzz.worker bundles FOLDER` tries the input of seed 123 and leaves it in FOLDER. Each line
of the standard input is a seed, each line of the answer a JSON object: see `tests.fuzz.campaign.Answer`.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from pathlib import Path
from random import Random

GROWTH_ALLOWED = 2 * 2**30


class Bundles:
    """`posescope --model FILE` up to the networks' first pass."""

    def __init__(self, folder: Path) -> None:
        import torch

        from app.bundled import model_file
        from models.bundle import open_bundle

        torch.set_num_threads(1)
        self.path = folder / "mutant.task"
        self.sound = open_bundle(model_file("lite")[0])
        self.networks = self._networks()
        self.fields = {name: fields_read(build, getattr(self.sound, name)) for name, build in self.networks.items()}

    @staticmethod
    def _networks():
        from models.blazepose import LandmarkNetwork, PersonDetector

        return {"detector": PersonDetector, "landmarks": LandmarkNetwork}

    def make(self, random: Random) -> None:
        from models.bundle import DETECTOR_MEMBER, LANDMARKS_MEMBER
        from tests.fuzz import mutate

        kind = random.random()
        parts = {name: getattr(self.sound, name) for name in self.networks}
        if kind < 0.05:
            content = mutate.hostile_zip(*parts.values(), random)
        else:
            if kind < 0.9:
                name = random.choice(tuple(parts))
                parts[name] = self._damaged(name, parts[name], random)
            members = dict(zip((DETECTOR_MEMBER, LANDMARKS_MEMBER), parts.values(), strict=True))
            content = mutate.packed(members, random)
            if kind >= 0.9:
                ends = (range(100), range(len(content) - 300, len(content)))
                content = mutate.mutate_bytes(content, random, ends)
        self.path.write_bytes(content)

    def _damaged(self, name: str, member: bytes, random: Random) -> bytes:
        """Mostly in what is read of the file besides the weights, since these fill nearly all of it."""
        from tests.fuzz import mutate

        values, offsets = self.fields[name]
        kind = random.random()
        if kind < 0.5:
            return mutate.mutate_fields(member, values, random)
        if kind < 0.75:
            return mutate.mutate_fields(member, offsets, random)
        places = random.choices(values + offsets, k=8)
        return mutate.mutate_bytes(member, random, tuple(range(at, at + size) for at, size in places))

    def attempt(self, seed: int) -> str:
        """The sentence of refusal, or nothing where the input was accepted."""
        from models.bundle import open_bundle
        from models.errors import BundleError

        try:
            bundle = open_bundle(self.path)
            for name, network in self.networks.items():
                if getattr(bundle, name) != getattr(self.sound, name):
                    network(getattr(bundle, name))
            if seed % 100 == 0:
                self._load()
        except BundleError as error:
            return str(error)
        return ""

    def _load(self) -> None:
        """The whole way, which takes a second."""
        from models.estimator import PoseEstimator

        PoseEstimator.load(self.path, "cpu", engine="torch")


def fields_read(build, model: bytes) -> list[list[tuple[int, int]]]:
    """(offset, size) of each number that `build` reads from a flatbuffer, its weights left out.

    First the values, such as shapes, options and references, then offsets and lengths.
    """
    from unittest import mock

    from flatbuffers import encode, number_types
    from flatbuffers.table import Table

    everything, values = set(), set()
    get, vector, value = encode.Get, encode.GetVectorAsNumpy, Table.Get
    offsets = (number_types.UOffsetTFlags, number_types.SOffsetTFlags, number_types.VOffsetTFlags)

    def noted_get(packer, buffer, offset):
        everything.add((offset, packer.size))
        return get(packer, buffer, offset)

    def noted_vector(kind, buffer, count, offset):
        numbers = vector(kind, buffer, count=count, offset=offset)
        if count <= 64:
            values.update((offset + i * numbers.itemsize, numbers.itemsize) for i in range(count))
        return numbers

    def noted_value(table, flags, offset):
        if flags not in offsets:
            values.add((offset, flags.bytewidth))
        return value(table, flags, offset)

    with (
        mock.patch.object(encode, "Get", noted_get),
        mock.patch.object(encode, "GetVectorAsNumpy", noted_vector),
        mock.patch.object(Table, "Get", noted_value),
    ):
        build(model)
    return [sorted(values), sorted(everything - values)]


class SettingsFiles:
    """What a launch does with the settings, and a save on top of them."""

    def __init__(self, folder: Path) -> None:
        self.path, self.other = folder / "settings.json", folder / "other.json"
        self.sound = {
            "camera": "camera:id=usb-0000:00:14.0,1280x720,30fps,MJPG",
            "recordings": "/home/jürgen/Vidéos",
            "wish": {"annotated": True, "clean": False, "keypoints": ["csv", "coco"]},
            "preroll_s": 12.5,
            "mirror": True,
            "loop": False,
        }

    def make(self, random: Random) -> None:
        from tests.fuzz import mutate

        self.path.write_bytes(mutate.mutate_settings(self.sound, random))

    def attempt(self, seed: int) -> str:
        from app.settings import load_settings, save_settings

        settings, problems = load_settings(self.path)
        assert len(problems) <= 5
        for sentence in problems:
            assert sentence.isprintable(), sentence
            assert sentence.endswith("."), sentence
            assert "rtsp://" not in sentence, sentence
        assert "://" not in settings.camera
        # Whatever was taken from the file can be saved and loaded, elsewhere and in its place.
        for path in (self.other, self.path):
            save_settings(settings, path)
            assert load_settings(path)[0] == settings
        self.other.unlink()
        return problems[0] if problems else ""


class Videos:
    """A video file that is opened by the user, read to its end; every third one is wound to and fro meanwhile."""

    most_frames = 300

    def __init__(self, folder: Path) -> None:
        from tests.fuzz.clips import sound_clips

        self.folder, self.path = folder, folder / "mutant"
        self.sound = sound_clips(folder)

    def make(self, random: Random) -> None:
        from tests.fuzz import mutate

        clip = random.choice(self.sound)
        content = clip.read_bytes()
        ends = (range(600), range(64), range(max(0, len(content) - 1500), len(content)))
        self.path = self.folder / f"mutant{clip.suffix}"
        self.path.write_bytes(mutate.mutate_bytes(content, random, ends))

    def attempt(self, seed: int) -> str:
        import numpy as np

        from app.errors import SourceError
        from app.sources import make_source

        last_ns, winding = -1, Random(seed)
        source = make_source(str(self.path))
        try:
            source.open()
            for _ in range(self.most_frames):
                frame = source.read()
                if frame is None:
                    break
                assert frame.time_ns > last_ns, f"time went from {last_ns} to {frame.time_ns}"
                assert frame.image.dtype == np.uint8, frame.image.dtype
                assert frame.image.ndim == 3, frame.image.shape
                assert frame.image.shape[2] == 3, frame.image.shape
                last_ns = frame.time_ns
                if seed % 3 == 0 and winding.random() < 0.3:
                    source.seek(winding.choice((0, 80_000_000, 10**15)), before=winding.random() < 0.3)
        except SourceError as error:
            return str(error)
        finally:
            source.close()
        return ""


TRIALS = {"bundles": Bundles, "settings": SettingsFiles, "videos": Videos}


def main(kind: str, folder: str) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # libraries may print what they like
    trial = TRIALS[kind](Path(folder))
    limit_memory()
    print("ready", file=answers)
    for line in sys.stdin:
        seed = int(line)
        answer = {"seed": seed, "failure": "", "sentence": ""}
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            trial.make(Random(seed))
            forget_peak()
            cpu, wall = time.process_time(), time.perf_counter()
            answer["sentence"] = trial.attempt(seed)
        except BaseException:
            answer["failure"] = traceback.format_exc()
        answer |= {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "peak_mb": peak_mb()}
        print(json.dumps(answer), file=answers)


def limit_memory() -> None:
    """From here on no more than GROWTH_ALLOWED beyond what is taken now, where the system can see to that."""
    try:
        import resource

        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + GROWTH_ALLOWED,) * 2)
    except (ImportError, OSError, ValueError):
        return


def forget_peak() -> None:
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_mb() -> float:
    """Most memory held since `forget_peak`; 0 where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0.0
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
