"""Lint and test the web client and the SDK with the pinned Node: what `make test` and `make check` do beside pytest.

Runs in .venv, where Node is; knows the standard library only.

    .venv/bin/python deploy/node.py lint|test

The packages are installed when the lock file has changed; otherwise no network is needed. The tests in a browser use
the Chromium of this machine. Without one they are skipped, which is said loudly; with CI=true it is a failure.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
WEBCHAT = ROOT / "webchat"
STAMP = WEBCHAT / "node_modules" / ".amtrio-installed"
# What npm installs from; the manifests, since npm refuses a lock file that does not fit them.
MANIFESTS = ("package-lock.json", "package.json", "sdk/package.json")
SCRIPTS = {"lint": ("lint", "typecheck"), "test": ("test", "e2e")}
# As webchat/e2e/harness/chromium.ts has them.
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def _builder() -> ModuleType:
    # A script beside this one; neither is part of a package.
    spec = importlib.util.spec_from_file_location("amtrio_deploy_webchat", ROOT / "deploy" / "webchat.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def digest(pin: str) -> str:
    """What `node_modules` must have been made from to be used as it is."""
    found = hashlib.sha256(pin.encode())
    for name in MANIFESTS:
        path = WEBCHAT / name
        found.update(path.read_bytes() if path.exists() else b"")
    return found.hexdigest()


def has_browser() -> bool:
    """Whether there is a Chromium for the tests in a browser."""
    named = os.environ.get("CHROMIUM")
    return Path(named).exists() if named else any(shutil.which(name) for name in BROWSERS)


def _is_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _missing(what: str, consequence: str) -> None:
    """Say so where nobody overlooks it; where everything must run, end."""
    text = f"amtrio: {what}"
    if _is_ci():
        sys.exit(text)
    line = "!" * 100
    print(f"{line}\n{text}\namtrio: {consequence}\n{line}", file=sys.stderr, flush=True)


def _run(npm: list[str], env: dict[str, str], *args: str) -> None:
    print(f"amtrio: webchat: npm {' '.join(args)}", file=sys.stderr, flush=True)
    done = subprocess.run([*npm, *args], cwd=WEBCHAT, env=env, check=False)
    if done.returncode:
        sys.exit(f"amtrio: `npm {' '.join(args)}` failed in webchat, see above")


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in SCRIPTS:  # noqa: PLR2004
        sys.exit(f"usage: {sys.argv[0]} lint|test")
    builder = _builder()
    node = builder.installed_node()
    if node is None:
        _missing(
            f"{builder.NODE} is not installed (it does not exist for every machine)", "the web chat is not checked"
        )
        return
    npm, env = builder.npm_of(node)
    wanted = digest(builder.NODE)
    if not STAMP.exists() or STAMP.read_text().strip() != wanted:
        _run(npm, env, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        STAMP.parent.mkdir(exist_ok=True)
        STAMP.write_text(wanted + "\n")
    for script in SCRIPTS[sys.argv[1]]:
        if script == "e2e" and not has_browser():
            text = "there is no Chromium here: install it (Debian: apt install chromium), or name it in $CHROMIUM"
            _missing(text, "THE TESTS IN A BROWSER ARE SKIPPED")
            continue
        _run(npm, env, "run", script)


if __name__ == "__main__":
    main()
