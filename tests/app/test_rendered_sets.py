"""Kept sets of rendered scenes: whole or not there, found again, gone on with. A stand-in draws the scenes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import namedtuple
from collections.abc import Collection, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from app import disk_space
from app.errors import OutputError, UserError
from app.rendered_people import kept, needs, scene_set
from app.rendered_people.kept import rendered_scenes, set_name
from app.rendered_people.scene_set import WrittenScene
from app.rendered_people.wishes import Wishes

WISHES = Wishes(size=(64, 64), part="train")
Usage = namedtuple("Usage", "total used free")


class Renderer:
    """Draws the scenes in `scene_set`'s place; stops before the scene `stop`, as if somebody pressed Ctrl+C."""

    def __init__(self) -> None:
        self.drawn: list[int] = []
        self.stop: int | None = None

    def drawn_scenes(self, count: int, seed: int, wishes: Wishes, done: Collection[int] = ()) -> Iterator[object]:
        for number in range(count):
            if number == self.stop:
                raise KeyboardInterrupt
            if number not in done:
                self.drawn.append(number)
                yield SimpleNamespace(number=number)

    def write_scene(self, folder: Path, drawn: SimpleNamespace, seed: int, wishes: Wishes) -> WrittenScene:
        names = [f"scene_{drawn.number:04d}_{i}.png" for i in range(wishes.still_frames)]
        for name in names:
            (folder / name).write_bytes(b"picture")
        return WrittenScene([{"file_name": name} for name in names], [{"bbox": [0.1, seed]}])


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> Renderer:
    made = Renderer()
    monkeypatch.setattr(scene_set, "drawn_scenes", made.drawn_scenes)
    monkeypatch.setattr(scene_set, "write_scene", made.write_scene)
    monkeypatch.setattr(kept, "check_installed", lambda: None)
    return made


def test_a_set_is_rendered_once_and_found_again(renderer: Renderer, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    path = rendered_scenes(tmp_path / "new", 3, 7, WISHES, lambda *progress: told.append(progress))
    assert told == [(1, 3), (2, 3), (3, 3)]
    file = json.loads(path.read_text("utf-8"))
    assert [(image["id"], image["file_name"]) for image in file["images"]] == [
        (number + 1, f"scene_{number:04d}_0.png") for number in range(3)
    ]
    assert [(one["id"], one["image_id"]) for one in file["annotations"]] == [(1, 1), (2, 2), (3, 3)]
    assert (file["info"]["part"], file["info"]["seed"]) == ("train", 7)
    # Nothing is left beside the pictures and the file.
    assert {one.name for one in path.parent.iterdir()} == {path.name, *(image["file_name"] for image in file["images"])}
    assert [one.name for one in (tmp_path / "new").iterdir()] == [path.parent.name]
    assert rendered_scenes(tmp_path / "new", 3, 7, WISHES) == path
    assert renderer.drawn == [0, 1, 2]


def test_a_whole_set_needs_no_packages(renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = rendered_scenes(tmp_path, 1, 7, WISHES)
    monkeypatch.setattr(kept, "check_installed", needs.check_installed)
    monkeypatch.setattr(needs, "find_spec", lambda _: None)
    assert rendered_scenes(tmp_path, 1, 7, WISHES) == path
    with pytest.raises(UserError, match=r"need anny, moderngl, pillow and scipy, .*posescope\[rendered-people\]"):
        rendered_scenes(tmp_path, 2, 7, WISHES)


def test_it_goes_on_where_it_was_stopped(renderer: Renderer, tmp_path: Path) -> None:
    wishes = Wishes(still_frames=2)
    renderer.stop = 2
    with pytest.raises(KeyboardInterrupt):
        rendered_scenes(tmp_path, 4, 7, wishes)
    (partial,) = tmp_path.iterdir()
    assert partial.name.endswith(".partial")
    # Of the second scene a picture is missing, and a third was being written.
    (partial / "scene_0001_1.png").unlink()
    (partial / "scene_0002_0.png.99.unfinished").write_bytes(b"pict")
    renderer.stop, renderer.drawn = None, []
    told: list[tuple[int, int]] = []
    path = rendered_scenes(tmp_path, 4, 7, wishes, lambda *progress: told.append(progress))
    assert renderer.drawn == [1, 2, 3]
    assert told == [(2, 4), (3, 4), (4, 4)]
    at_once = rendered_scenes(tmp_path / "other", 4, 7, wishes)
    assert path.read_bytes() == at_once.read_bytes()
    assert {one.name for one in path.parent.iterdir()} == {one.name for one in at_once.parent.iterdir()}


def test_a_set_that_has_lost_a_picture_is_rendered_again(renderer: Renderer, tmp_path: Path) -> None:
    path = rendered_scenes(tmp_path, 2, 7, WISHES)
    (path.parent / "scene_0001_0.png").unlink()
    assert rendered_scenes(tmp_path, 2, 7, WISHES) == path
    assert (path.parent / "scene_0001_0.png").exists()
    path.write_text("{", encoding="utf-8")
    rendered_scenes(tmp_path, 2, 7, WISHES)
    assert renderer.drawn == [0, 1] * 3


def test_other_wishes_are_another_set() -> None:
    wishes = [
        Wishes(),
        Wishes(size=(64, 64)),
        Wishes(people=(1, 2)),
        Wishes(occluders=True),
        Wishes(still_frames=2),
        Wishes(part="train"),
        Wishes(part="test"),
    ]
    names = {set_name(2, 7, wish) for wish in wishes} | {set_name(2, 8, Wishes()), set_name(3, 7, Wishes())}
    assert len(names) == len(wishes) + 2


def test_somebody_else_may_finish_the_same_set_first(renderer: Renderer, tmp_path: Path) -> None:
    def other(done: int, count: int) -> None:
        if done == 1:
            rendered_scenes(tmp_path, 2, 7, WISHES)

    path = rendered_scenes(tmp_path, 2, 7, WISHES, other)
    assert len(json.loads(path.read_text("utf-8"))["images"]) == 2
    assert [one.name for one in tmp_path.iterdir()] == [path.parent.name]


def test_a_full_disk_is_told_before_the_first_scene(
    renderer: Renderer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda _: Usage(10**12, 10**12 - 201_000_000, 201_000_000))
    with pytest.raises(UserError, match=r"too little room for 100 scenes, which may take 1\.23 MB"):
        rendered_scenes(tmp_path, 100, 7, WISHES)
    assert renderer.drawn == []
    rendered_scenes(tmp_path, 50, 7, WISHES)


def test_a_folder_that_cannot_be_is_told(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"^Cannot write .*: Not a directory\.$"):
        rendered_scenes(tmp_path / "file", 1, 7, WISHES)


def test_a_number_that_cannot_be_is_told(tmp_path: Path) -> None:
    for count, seed in ((0, 1), (1, -1)):
        with pytest.raises(UserError, match="at least one scene and a seed of 0 or more"):
            rendered_scenes(tmp_path, count, seed, WISHES)


def test_a_computer_without_a_renderer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from app.rendered_people import renderer as module

    def missing(**_: object) -> None:
        raise Exception("libEGL.so not found")

    monkeypatch.setattr(module.moderngl, "create_context", missing)
    with pytest.raises(UserError, match=r"No renderer .*libEGL\.so not found.*apt install libegl1"):
        module.Renderer(64, 64)


def test_asking_for_a_set_imports_nothing_that_only_rendering_needs() -> None:
    """Else the app's commands would not start without the extra packages."""
    code = (
        "import sys; import app.rendered_people, app.rendered_people.kept, app.rendered_people.__main__; "
        "print(*{'anny', 'moderngl', 'PIL', 'scipy', 'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "\n"
