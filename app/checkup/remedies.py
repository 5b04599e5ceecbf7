"""Lines to type that fit this computer: for this very Python, and for the package manager of its system."""

from __future__ import annotations

import importlib.util
import platform
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

# Where the package of a library is not called as Debian's rule says.
_DEBIAN_EXCEPTIONS = {
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libGLdispatch.so.0": "libglvnd0",
    "libz.so.1": "zlib1g",
    "libpcre2-8.so.0": "libpcre2-8-0",
    "libbrotlidec.so.1": "libbrotli1",
    "libbrotlicommon.so.1": "libbrotli1",
}


def pip_line(
    arguments: str, *, prefix: Path | None = None, executable: str | None = None, has_pip: bool | None = None
) -> str:
    """“… pip ARGUMENTS” for the Python that runs this, also where pipx or uv has made its environment.

    prefix, executable, has_pip: of that Python; None for the one that runs.
    """
    prefix, executable = prefix or Path(sys.prefix), executable or sys.executable
    if (prefix / "pipx_metadata.json").is_file():
        return f"pipx runpip posescope {arguments}"
    if has_pip is None:
        has_pip = importlib.util.find_spec("pip") is not None
    if has_pip:
        return f"{quoted(executable)} -m pip {arguments}"
    command, _, rest = arguments.partition(" ")
    return f"uv pip {command} --python {quoted(executable)} {rest.removeprefix('-y ')}"


def quoted(word: str, system: str | None = None) -> str:
    """As the system's shell takes it; on Windows for PowerShell, which wants an ampersand before a quoted program."""
    if (system or platform.system()) != "Windows":
        return shlex.quote(word)
    return f'& "{word}"' if " " in word else word


def package_lines(
    libraries: Iterable[str], find_program: Callable[[str], str | None] = shutil.which
) -> tuple[str, ...]:
    """What installs shared libraries, given by their SONAMEs, on a Linux with apt or with dnf; () on others."""
    wanted = sorted(libraries)
    if find_program("apt-get"):
        return (f"sudo apt install {' '.join(dict.fromkeys(map(debian_package, wanted)))}",)
    if find_program("dnf"):
        # RPM packages provide the SONAMEs of their libraries as such, and dnf installs what provides a thing.
        mark = "()(64bit)" if sys.maxsize > 2**32 else ""
        return (f"sudo dnf install {' '.join(shlex.quote(name + mark) for name in wanted)}",)
    return ()


def debian_package(soname: str) -> str:
    """The package that holds a library: the Debian Policy Manual, 8.1, and the exceptions that are of use here."""
    if soname in _DEBIAN_EXCEPTIONS:
        return _DEBIAN_EXCEPTIONS[soname]
    name, _, version = soname.partition(".so.")
    hyphen = "-" if name[-1:].isdigit() and version else ""
    return re.sub(r"[^a-z0-9+.-]", "-", f"{name}{hyphen}{version}".lower())


def run_briefly(command: list[str], timeout_s: float = 10.0) -> str | None:
    """What a command says on standard output; None where it fails, is not there, or takes longer."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
