"""What an installed PoseScope holds: every package and asset, found from anywhere."""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from app import __version__
from app.bundled import ASSETS as ASSETS_FOLDER
from app.bundled import ICON_SIZES, MODELS, SAMPLE_CLIP, TRANSLATIONS, icon_file, model_file

ROOT = Path(__file__).parents[1]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
ASSETS = (
    SAMPLE_CLIP,
    SAMPLE_CLIP.with_name("rendered_person_truth.json"),
    SAMPLE_CLIP.with_name("README.md"),  # provenance and licences
    *(model_file(name)[0] for name in MODELS),
    icon_file(),
    *(icon_file(size) for size in ICON_SIZES),
    TRANSLATIONS / "posescope_zh_CN.qm",
    ASSETS_FOLDER / "heads" / "through-ipr.safetensors",
    ASSETS_FOLDER / "heads" / "README.md",
)
ASSET_NAMES = {str(path.relative_to(ROOT).as_posix()) for path in ASSETS}
SHADERS = {str(path.relative_to(ROOT).as_posix()) for path in (ROOT / "app/rendered_people/shaders").iterdir()}
MODULES = {
    str(path.relative_to(ROOT).as_posix()) for folder in ("app", "models") for path in (ROOT / folder).rglob("*.py")
}


def test_every_package_is_named() -> None:
    folders = {str(Path(name).parent).replace(os.sep, ".") for name in MODULES} | {"assets"}
    assert set(SETUPTOOLS["packages"]) == folders


def test_every_asset_that_is_used_is_named_and_no_other() -> None:
    patterns = [f"assets/{pattern}" for pattern in SETUPTOOLS["package-data"]["assets"]]
    matched = {
        str(path.relative_to(ROOT).as_posix())
        for path in (ROOT / "assets").rglob("*")
        for pattern in patterns
        # A star does not reach into a folder here.
        if fnmatch.fnmatch(path.relative_to(ROOT).as_posix(), pattern)
        and path.relative_to(ROOT).as_posix().count("/") == pattern.count("/")
    }
    assert matched == ASSET_NAMES


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built as pip builds it, by the backend, in a copy: it leaves folders behind."""
    copy, wheels = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheels")
    for name in ("pyproject.toml", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, copy)
    for name in ("app", "models", "assets"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    code = "import sys, setuptools.build_meta as backend; print(backend.build_wheel(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", code, wheels], cwd=copy, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "absent from the `packages` configuration" not in done.stderr
    return wheels / done.stdout.splitlines()[-1]


@pytest.mark.thorough
def test_the_wheel_holds_every_module_and_asset_and_nothing_else(wheel: Path) -> None:
    assert wheel.name == f"posescope-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        for asset in ASSETS:
            assert archive.read(str(asset.relative_to(ROOT).as_posix())) == asset.read_bytes()
    assert held == MODULES | SHADERS | ASSET_NAMES | {"assets/__init__.py"}


@pytest.mark.thorough
def test_an_unpacked_wheel_runs_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    """Beside the packages of this environment, from a folder with an app of its own."""
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (elsewhere / "app").mkdir(parents=True)
    (elsewhere / "app" / "__init__.py").write_text("raise RuntimeError('another app')")

    def run(*arguments: str) -> str:
        code = "import sys; from app.__main__ import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run(
            [sys.executable, "-P", "-c", code, *arguments],
            cwd=elsewhere,
            env={**os.environ, "PYTHONPATH": str(site), "XDG_DATA_HOME": str(tmp_path / "data")},
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    assert run("--version") == f"PoseScope {__version__}\n"
    clip = str(site / "assets" / SAMPLE_CLIP.name)
    assert run("run", clip, "--model", "lite", "--device", "cpu", "--max-frames", "2").startswith("2 frames in ")
    assert run("run", "synthetic:person,frames=1", "--model", "lite", "--device", "cpu").startswith("1 frames in ")
    if sys.platform not in ("win32", "darwin"):
        assert "PoseScope is in the menu" in run("install-desktop-entry")
