"""A web client as a build leaves it behind, and one as it is before; both small enough to read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

INDEX = b'<!doctype html><script type="module" src="/assets/app-1234abcd.js"></script>\n'
SCRIPT = b"console.log('hello')\n" * 50
# Nobody here unpacks it; that it comes as it stands in the folder is what counts.
BROTLI = b"as if brotli had made it"
FILES = {
    "index.html": INDEX,
    "index.html.gz": gzip.compress(INDEX, mtime=0),
    "assets/app-1234abcd.js": SCRIPT,
    "assets/app-1234abcd.js.br": BROTLI,
    "assets/app-1234abcd.js.gz": gzip.compress(SCRIPT, mtime=0),
    "assets/app-DgK_x-9Z.css": b"body{}",
    "assets/emoji-category.json": b"[]",
    "sw.js": b"self.skipWaiting()",
    "manifest.webmanifest": b'{"name":"amtrio"}',
    "icons/icon.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "LICENSES": b"MIT",
}


def make_web_client(folder: Path) -> Path:
    """Write it down; the folder."""
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


# A build as short as one can be; what it is called by, and with which Node, is as for the real one.
BUILD = """
import { mkdirSync, copyFileSync, writeFileSync, appendFileSync } from "node:fs";
mkdirSync("dist/assets", { recursive: true });
copyFileSync("index.html", "dist/index.html");
writeFileSync("dist/assets/app-1234abcd.js", `console.log(${JSON.stringify(process.version)})`);
appendFileSync(process.env.BUILDS, "built\\n");
"""


def make_sources(root: Path) -> Path:
    """A web client's sources under `root`; their folder."""
    source = root / "webchat"
    source.mkdir()
    package = {"name": "tiny", "version": "1.0.0", "private": True, "scripts": {"build": "node build.mjs"}}
    lock = {"name": "tiny", "version": "1.0.0", "lockfileVersion": 3, "requires": True,
            "packages": {"": {"name": "tiny", "version": "1.0.0"}}}  # fmt: skip
    (source / "package.json").write_text(json.dumps(package))
    (source / "package-lock.json").write_text(json.dumps(lock))
    (source / "build.mjs").write_text(BUILD)
    (source / "index.html").write_text("<!doctype html>one")
    return source


def builds(root: Path) -> int:
    """How often that build ran, if `BUILDS` names `root / "builds"`."""
    path = root / "builds"
    return len(path.read_text().splitlines()) if path.exists() else 0
