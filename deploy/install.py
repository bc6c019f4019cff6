"""Make .venv hold exactly what a lock file says, and do nothing at all when it already does.

Runs before anything is installed, so it knows the standard library only.

    python3 deploy/install.py run|dev

The second time needs no network: a digest of the lock file and pyproject.toml is kept in the environment and compared
first. `dev` holds everything of `run`, pin for pin. An environment that works is kept, whichever Python this is run
with; `make clean` makes room for another one.
"""

import hashlib
import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "amtrio-installed"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}


def digest(kind: str) -> str:
    """What `.venv` must have been made from to be used as it is."""
    found = hashlib.sha256(repr((kind, str(ROOT))).encode())
    for path in (LOCKS[kind], ROOT / "pyproject.toml"):
        found.update(path.read_bytes())
    return found.hexdigest()


def is_usable() -> bool:
    """A virtual environment outlives neither a move of its folder nor the removal of its Python."""
    if not PYTHON.exists():
        return False
    asked = subprocess.run([PYTHON, "-c", ""], capture_output=True, check=False)
    return asked.returncode == 0


def create() -> None:
    # `python3 -m venv` leaves half an environment behind when ensurepip is missing, so look first.
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        major, minor = sys.version_info[:2]
        sys.exit(
            f"amtrio: {sys.executable} cannot make virtual environments (ensurepip is missing).\n"
            f"On Debian or Ubuntu: apt install python{major}.{minor}-venv\n"
            "Elsewhere: install a complete Python 3.11 or newer and say `make PYTHON=/path/to/it ...`."
        )
    print(f"amtrio: making {VENV} with Python {sys.version.split()[0]}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def pip(*args: str) -> None:
    done = subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", *args], check=False)
    if done.returncode:
        sys.exit("amtrio: pip could not install the dependencies, see above. The first start needs the network.")


def main() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever runs this has not read requires-python yet
        sys.exit(f"amtrio: Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}.")
    if len(sys.argv) != 2 or sys.argv[1] not in LOCKS:  # noqa: PLR2004
        sys.exit(f"usage: {sys.argv[0]} run|dev")
    kind = sys.argv[1]
    usable = is_usable()
    stamps = STAMP.read_text().split() if usable and STAMP.exists() else []
    if digest(kind) in stamps or digest("dev") in stamps:
        return
    if not usable:
        create()
    print(f"amtrio: installing {LOCKS[kind].name} into {VENV.name}, a minute on the first start", flush=True)
    pip("--require-hashes", "--requirement", str(LOCKS[kind]))
    # The build tools are in the lock as well: nothing is fetched unpinned.
    pip("--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMP.write_text(digest(kind) + "\n")


if __name__ == "__main__":
    main()
