"""A web client as a build leaves it behind, small enough to read."""

from __future__ import annotations

import gzip
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
