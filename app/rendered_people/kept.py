"""Sets of scenes that are kept: rendered once, found again, and gone on with where rendering was broken off."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.disk_space import LEAST_FREE_BYTES, short_of_space, size_text
from app.errors import OutputError, UserError
from app.rendered_people.needs import check_installed
from app.rendered_people.wishes import ANNOTATIONS_NAME, FORMAT_VERSION, Tell, Wishes, description, keep_quiet

if TYPE_CHECKING:
    from app.rendered_people.scene_set import WrittenScene

_BYTES_PER_PIXEL = 3  # at most: noise hardly compresses


def rendered_scenes(folder: Path, count: int, seed: int, wishes: Wishes, tell: Tell = keep_quiet) -> Path:
    """The COCO file of `count` scenes, in a folder of its own within `folder`, its pictures beside it.

    Rendered only where it is not there already, whole, of the same count, seed, wishes and format. What is being
    rendered lies in a folder whose name ends in “.partial”; whoever was stopped goes on there after the last scene
    that was finished. Two processes may ask for the same set at the same time; then both render.

    tell: after each scene with how many are done, and `count`; not at all where nothing has to be rendered.

    Raises UserError where the optional packages, a renderer or room on the disk are missing, or a file cannot be
    written.
    """
    if count < 1 or seed < 0:
        raise UserError("Rendered people need at least one scene and a seed of 0 or more.")
    final = folder / set_name(count, seed, wishes)
    path = final / ANNOTATIONS_NAME
    if _is_whole(final, count, seed, wishes):
        return path
    check_installed()
    partial = final.with_name(final.name + ".partial")
    with _writing(partial):
        if final.exists() and not partial.exists():
            final.rename(partial)
        partial.mkdir(parents=True, exist_ok=True)
    try:
        _render(partial, count, seed, wishes, tell)
        with _writing(final):
            partial.rename(final)
    except OutputError:
        # Somebody else may have finished the same set meanwhile.
        if not _is_whole(final, count, seed, wishes):
            raise
        shutil.rmtree(partial, ignore_errors=True)
    return path


def set_name(count: int, seed: int, wishes: Wishes) -> str:
    """The name of a set's folder; other sets have other names."""
    (width, height), (fewest, most) = wishes.size, wishes.people
    extras = [f"still{wishes.still_frames}"] * (wishes.still_frames > 1) + ["occluders"] * wishes.occluders
    words = [wishes.part, f"{width}x{height}", f"people{fewest}-{most}", *extras, f"seed{seed}", f"count{count}"]
    return "-".join([*words, f"v{FORMAT_VERSION}"])


def _is_whole(final: Path, count: int, seed: int, wishes: Wishes) -> bool:
    try:
        file = json.loads((final / ANNOTATIONS_NAME).read_text("utf-8"))
        names = [str(image["file_name"]) for image in file["images"]]
        as_wished = description(seed, wishes).items() <= file["info"].items()
        return as_wished and len(names) == count * wishes.still_frames and _are_there(final, names)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def _are_there(folder: Path, names: list[str]) -> bool:
    return all(os.path.isfile(folder / name) for name in names)


def _render(partial: Path, count: int, seed: int, wishes: Wishes, tell: Tell) -> None:
    try:
        from app.rendered_people import scene_set
    except ImportError as error:
        raise UserError(f"The packages that rendered people need cannot be loaded here ({error}).") from None
    written = dict(_finished(partial, count))
    _check_room(partial, count - len(written), wishes)
    for drawn in scene_set.drawn_scenes(count, seed, wishes, done=frozenset(written)):
        with _writing(partial):
            scene = scene_set.write_scene(partial, drawn, seed, wishes)
            _replace(_note(partial, drawn.number), json.dumps({"images": scene.images, "people": scene.people}))
        written[drawn.number] = scene
        tell(len(written), count)
    file = scene_set.coco_file(*scene_set.numbered(written[number] for number in range(count)), seed, wishes)
    with _writing(partial):
        _replace(partial / ANNOTATIONS_NAME, json.dumps(file))
        for left in (*partial.glob("scene_*.json"), *partial.rglob("*.unfinished")):
            left.unlink(missing_ok=True)


def _note(partial: Path, number: int) -> Path:
    """The file that says of one scene that its pictures are all there, and what is on them."""
    return partial / f"scene_{number:04d}.json"


def _finished(partial: Path, count: int) -> Iterator[tuple[int, WrittenScene]]:
    from app.rendered_people.scene_set import WrittenScene

    for number in range(count):
        try:
            note: dict[str, Any] = json.loads(_note(partial, number).read_text("utf-8"))
            scene = WrittenScene(note["images"], note["people"])
            if _are_there(partial, [image["file_name"] for image in scene.images]):
                yield number, scene
        except (OSError, ValueError, LookupError, TypeError):
            continue


def _check_room(partial: Path, scenes: int, wishes: Wishes) -> None:
    width, height = wishes.size
    needed = scenes * wishes.still_frames * width * height * _BYTES_PER_PIXEL
    if short_of_space([partial / ANNOTATIONS_NAME], needed + LEAST_FREE_BYTES):
        raise UserError(
            f"{partial.parent} has too little room for {scenes} scenes, which may take {size_text(needed)} and shall "
            f"leave {size_text(LEAST_FREE_BYTES)} free."
        )


def _replace(path: Path, text: str) -> None:
    """Whole or not at all, whoever else writes the same."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"Cannot write {path}: {error.strerror or error}.") from error
