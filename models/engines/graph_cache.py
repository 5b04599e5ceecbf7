"""Keeps compiled graphs in the user's cache directory, so that the second launch is quick."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import platformdirs

# The text of these makes the graphs: a change to any of them makes what was kept useless.
_MAKERS = (
    "constants",
    "decoders",
    "readings",
    "reader",
    "blazepose",
    "tflite_file",
    "tflite_graph",
    "tflite_layers",
    "heads",
    "engines/openvino_graphs",
    "engines/openvino_engine",
)
_MOST_KEPT = 6
_DIGEST = "sha256"


class GraphCache:
    """Files named by what they were made from. What cannot be read or written is simply made anew.

    folder: None for the user's cache directory.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(platformdirs.user_cache_dir("posescope", appauthor=False)) / "openvino"

    def read(self, key: Iterable[str], names: Sequence[str]) -> dict[str, bytes] | None:
        """The graphs of these names, or None unless all of them are there."""
        folder = self._folder_of(key)
        try:
            graphs = {name: (folder / name).read_bytes() for name in names}
            digest = (folder / _DIGEST).read_text("ascii")
        except (OSError, ValueError):
            return None
        with contextlib.suppress(OSError):  # someone else's cache can be read all the same
            os.utime(folder)
        # Whoever reads a graph trusts it: a damaged one could end the program.
        return graphs if digest == _digest_of(graphs) else None

    def write(self, key: Iterable[str], graphs: Mapping[str, bytes]) -> None:
        """Keep these graphs, whole or not at all, and forget those that were not used for longest."""
        folder = self._folder_of(key)
        unfinished = None
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=self.folder))
            for name, graph in graphs.items():
                (unfinished / name).write_bytes(graph)
            (unfinished / _DIGEST).write_text(_digest_of(graphs), "ascii")
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
            for old in sorted(self.folder.iterdir(), key=lambda entry: -entry.stat().st_mtime)[_MOST_KEPT:]:
                shutil.rmtree(old, ignore_errors=True)
        except OSError:
            # The disk is full, or another process keeps the same graphs at this moment.
            return
        finally:
            if unfinished is not None:
                shutil.rmtree(unfinished, ignore_errors=True)

    def _folder_of(self, key: Iterable[str]) -> Path:
        digest = hashlib.sha256()
        for part in (*key, *(_source(name) for name in _MAKERS)):
            digest.update(hashlib.sha256(part.encode()).digest())
        return self.folder / digest.hexdigest()[:32]


def _digest_of(graphs: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(graphs):
        digest.update(hashlib.sha256(graphs[name]).digest())
    return digest.hexdigest()


def _source(module: str) -> str:
    try:
        return (Path(__file__).parents[1] / f"{module}.py").read_text("utf-8")
    except OSError:
        return ""
