# ruff: noqa: T201
"""Make the virtual environment and install a requirement file into it, hash by hash.

    python3 requirements/install.py run|dev

Standard library only: nothing is installed yet.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = Path(os.environ.get("VENV") or HERE.parent / ".venv")
PYTHON = str(VENV / "bin" / "python")
# dev.txt holds all of run.txt.
STAMPS = {"run": ["run"], "dev": ["run", "dev"]}
HOW_TO_GET_PIP = (
    "Install it with your system's packages (Debian, Ubuntu: apt-get install python3-venv "
    "python3-pip; Fedora: dnf install python3-pip), then run make again."
)


def main(which: str) -> None:
    install(make_environment(), which)
    for stamp in STAMPS[which]:
        (VENV / f"{stamp}.stamp").touch()


def make_environment() -> list[str]:
    """Make the environment unless it is there and works; return the command that is its pip."""
    own_pip = [PYTHON, "-m", "pip"]
    if works([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
        return own_pip if works([*own_pip, "--version"]) else borrowed_pip()
    if not works([sys.executable, "-c", "import venv"]):
        sys.exit(f"{sys.executable} has no module venv. {HOW_TO_GET_PIP}")
    if works([sys.executable, "-c", "import ensurepip"]):
        print(f"Making a virtual environment in {VENV}", flush=True)
        if subprocess.call([sys.executable, "-m", "venv", "--clear", str(VENV)]) == 0:
            return own_pip
    # Debian ships venv without the pip to put into it; the pip outside can install into it.
    pip = borrowed_pip()
    print(f"Making a virtual environment in {VENV}, to be filled by the pip outside", flush=True)
    command = [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)]
    if subprocess.call(command) != 0:
        sys.exit(f"The virtual environment could not be made. {HOW_TO_GET_PIP}")
    return pip


def borrowed_pip() -> list[str]:
    if not works([sys.executable, "-m", "pip", "install", "--help"]):
        sys.exit(f"{sys.executable} has neither ensurepip nor pip. {HOW_TO_GET_PIP}")
    if not works([sys.executable, "-m", "pip", "--python", sys.executable, "--version"]):
        sys.exit(f"The pip of {sys.executable} is older than 22.3. {HOW_TO_GET_PIP}")
    return [sys.executable, "-m", "pip", "--python", PYTHON]


def works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def install(pip: list[str], which: str) -> None:
    requirements = HERE / f"{which}.txt"
    wanted = sum("==" in line[:80] and line[0] not in " #" for line in requirements.open())
    print(f"Installing the {wanted} packages of requirements/{which}.txt", flush=True)
    command = [*pip, "install", "--disable-pip-version-check", "--no-input", "--require-hashes"]
    lines, seen = [], 0
    with subprocess.Popen(
        [*command, "-r", str(requirements)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101
        for line in process.stdout:
            lines.append(line.rstrip())
            if line.startswith(("Collecting ", "Requirement already satisfied: ")):
                seen += 1
                name = line.split(": ")[-1].removeprefix("Collecting ").split("==")[0]
                progress(f"{min(seen, wanted)} of {wanted}: {name}")
            elif line.startswith("Installing collected packages"):
                progress("Putting them in place")
    if sys.stdout.isatty():
        print()
    if process.returncode != 0:
        print("\n".join(lines[-25:]))
        sys.exit(what_is_wrong("\n".join(lines)))


def what_is_wrong(said: str) -> str:
    if "No space left on device" in said:
        return f"The disk that holds {VENV} (or the folder for temporary files) is full."
    if "Temporary failure in name resolution" in said or "NewConnectionError" in said:
        return "pip does not reach the package index; it needs the network this once."
    if "No matching distribution" in said:
        return (
            f"A package has no build for this machine ({sysconfig.get_platform()}, Python "
            f"{sys.version.split()[0]}). Try another Python from 3.11 on: "
            "make demo PYTHON=/path/to/python3.13"
        )
    return "pip could not install them; its last lines are above."


def progress(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r  {text[:70]:<70}", end="", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STAMPS:
        sys.exit(__doc__)
    main(sys.argv[1])
