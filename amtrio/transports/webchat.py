"""The web client's files, answered from memory: which file a path means, how it is encoded, and with which headers.

Knows folders and the headers of HTTP. Knows no framework, no request and no route of the API; those come first, and
only what none of them answers is asked for here.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

import structlog
import trio

from amtrio.config import Server

log = structlog.stdlib.get_logger(__name__)

# Made when the package is built, or by `make webchat`.
BUILT: Final = Path(__file__).resolve().parent.parent / "webchat"
INDEX: Final = "index.html"
# The whole client with its compressed twins is 2 MB; past this somebody has named the wrong folder.
MOST_BYTES: Final = 64 << 20
MOST_FILES: Final = 5_000

# Never guessed from a system's own table, which differs from machine to machine.
_TYPES: Final = {
    ".avif": "image/avif",
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".map": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
_OF_NO_KIND: Final = "application/octet-stream"
# What a browser runs or shows as a page. A worker lives by the policy of its own file, not by that of the page.
_RUN: Final = frozenset({_TYPES[".html"], _TYPES[".js"]})
# The better one first: Content-Encoding, and how the build names the twin.
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))
# What bundlers put between name and ending: eight characters of base64url, or hexadecimal digits. A word of eight
# letters is none: it would be kept for a year.
_HASHED: Final = re.compile(r"[-.](?=[^/.]*[0-9A-Z])([A-Za-z0-9_-]{8}|[0-9a-f]{8,64})\.[^/]+$")
_HASHED_FOLDERS: Final = ("assets/", "static/")
_FOREVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
# Control characters, and what other systems take for a slash: no file and no page has them in its path.
_STRANGE: Final = re.compile(r"[\x00-\x1f\x7f\\]")
# The older server's place for its web client.
_OLDER_PLACE: Final = "/chat"

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types sw"
)
_RUN_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(self), payment=(), usb=()",
}

_STYLE: Final = (
    ":root{color-scheme:light dark}body{font:17px/1.6 system-ui,sans-serif;max-width:38rem;margin:12vh auto;"
    "padding:0 1.2rem}code{font-family:ui-monospace,monospace}"
)
_MISSING: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>amtrio</title>'
    f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
    "<h1>amtrio runs here, without its web chat</h1>"
    "<p>The web chat was not built into this installation. Released packages have it inside; in a checkout "
    "<code>make webchat</code> builds it, then restart the server.</p>"
    "<p>Until then: <code>amtrio chat</code> in a terminal, any other client at this address, "
    'and <a href="/docs">what programs can do here</a>.</p></body></html>\n'
).encode()
_MISSING_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

Header = Callable[[str], str | None]


class CannotServe(Exception):
    """The folder of the web client cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer with; `body` also for HEAD."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class _File:
    """
    One file with its headers, as it is and as it was compressed.

    Attributes:
        bodies: by Content-Encoding, "" for the file itself.
    """

    bodies: Mapping[str, bytes]
    headers: Mapping[str, str]
    tag: str

    def answer(self, header: Header, *, vary: str = "") -> Reply:
        encoding = _preferred(header("Accept-Encoding") or "", self.bodies)
        # Of its own for each encoding (RFC 9110, 8.8.3.3): the bytes differ.
        tag = f'"{self.tag}-{encoding}"' if encoding else f'"{self.tag}"'
        headers = {**self.headers, "ETag": tag}
        if varies := ", ".join(each for each in (vary, "Accept-Encoding" if len(self.bodies) > 1 else "") if each):
            headers["Vary"] = varies
        if _names(header("If-None-Match") or "", tag):
            # The headers of what is kept are replaced by these (RFC 9111, 3.2), so the policy has to be among them.
            del headers["Content-Type"]
            return Reply(304, headers)
        if encoding:
            headers["Content-Encoding"] = encoding
        return Reply(200, headers, self.bodies[encoding])


@dataclass(frozen=True, slots=True)
class Webchat:
    """
    The files of a built web client.

    Attributes:
        files: by their path without the leading slash; empty if none was built.
    """

    files: Mapping[str, _File]
    _folders: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        folders = frozenset(name.partition("/")[0] for name in self.files if "/" in name)
        object.__setattr__(self, "_folders", folders)

    @property
    def is_built(self) -> bool:
        """Whether there is a client to serve."""
        return INDEX in self.files

    def answer(self, path: str, query: str, header: Header, *, may_be_page: bool) -> Reply | None:
        """
        What a GET or HEAD gets that no route of the API takes; None if it is nothing of ours.

        Args:
            path: decoded, as it came. query: as it came, without the question mark.
            header: the request's.
            may_be_page: that no route of the API begins like this path.
        """
        if _STRANGE.search(path) or not path.startswith("/"):
            return None
        name = path[1:]
        if not self.is_built:
            return _missing() if not name and _wants_page(header) else None
        if path.rstrip("/") == _OLDER_PLACE:
            # COMPAT: bookmarks of the older server. Not for good: somebody may go back to it.
            return Reply(302, {"Location": f"/?{query}" if query else "/", "Cache-Control": _ASK_AGAIN})
        found = self.files.get(name or INDEX) or self.files.get(path.removeprefix(f"{_OLDER_PLACE}/"))
        if found is not None:
            return found.answer(header)
        if may_be_page and self._is_page(name) and _wants_page(header):
            return self.files[INDEX].answer(header, vary="Accept")
        return None

    def _is_page(self, name: str) -> bool:
        """Whether the client itself may know what to show there: a file that is gone must not look like a page."""
        parts = name.split("/")
        if parts[0] in self._folders or f"/{parts[0]}" == _OLDER_PLACE or ".." in parts:
            return False
        return PurePosixPath(parts[-1]).suffix.lower() not in _TYPES


def _missing() -> Reply:
    headers = {"Content-Type": _TYPES[".html"], "Content-Security-Policy": _MISSING_POLICY, "Vary": "Accept"}
    return Reply(404, headers, _MISSING)


def _wants_page(header: Header) -> bool:
    """A browser that shows a page names HTML; programs say nothing, or that they take anything."""
    return _weights(header("Accept") or "").get("text/html", 0.0) > 0


def _preferred(accepted: str, bodies: Mapping[str, bytes]) -> str:
    """The encoding of the smallest body that the other side can read (RFC 9110, 12.5.3)."""
    if len(bodies) > 1 and accepted:
        weights = _weights(accepted)
        for encoding, _ in _ENCODINGS:
            if encoding in bodies and weights.get(encoding, weights.get("*", 0.0)) > 0:
                return encoding
    return ""


def _weights(listed: str) -> dict[str, float]:
    """`br;q=0.5, gzip` as numbers; what cannot be read counts as not wanted."""
    found: dict[str, float] = {}
    for item in listed.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        found[name] = float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0
    return found


def _names(listed: str, tag: str) -> bool:
    """Whether If-None-Match names this tag, compared weakly (RFC 9110, 13.1.2); proxies make tags weak."""
    return listed.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in listed.split(",")}


# ----------------------------------------------------------------------------------------------------------- the folder


async def open_webchat(server: Server) -> Webchat | None:
    """
    The web client that the settings name, else our own, read once; None if it is switched off.

    Raises:
        CannotServe: another folder is named, and it cannot be used.
    """
    if not server.webchat_enabled:
        return None
    folder = server.webchat_dir or BUILT
    if server.webchat_dir is None and not (BUILT / INDEX).is_file():
        log.info("webchat_missing", folder=str(BUILT))
        return Webchat({})
    webchat = await trio.to_thread.run_sync(load, folder)
    size = sum(len(body) for each in webchat.files.values() for body in each.bodies.values())
    log.info("webchat_loaded", folder=str(folder), files=len(webchat.files), size_bytes=size)
    return webchat


def load(folder: Path) -> Webchat:
    """
    Read a built client into memory. Later changes of the folder are not seen.

    Hidden files, and links that lead out of the folder, are left out.

    Raises:
        CannotServe: no folder, unreadable, no client in it, or too large for one.
    """
    try:
        found = dict(_read(folder.resolve(strict=True)))
    except OSError as error:
        text = f"server.webchat_dir: {folder} cannot be read: {error.strerror}"
        raise CannotServe(text) from error
    if INDEX not in found:
        text = f"server.webchat_dir: {folder} has no {INDEX}; it must be a web client that is built"
        raise CannotServe(text)
    # An encoded twin is no file of its own, unless what it is a twin of is not there.
    twins = {name + ending for name in found for _, ending in _ENCODINGS}
    return Webchat({name: _file(name, found) for name in found if name not in twins})


def _read(root: Path) -> Iterator[tuple[str, bytes]]:
    files = size = 0

    def failed(error: OSError) -> None:
        raise error

    for at, folders, names in os.walk(root, onerror=failed):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        for name in sorted(names):
            path = Path(at, name)
            if name.startswith("."):
                continue
            real = path.resolve()
            if not real.is_relative_to(root) or not real.is_file():
                log.warning("webchat_file_left_out", path=str(path), reason="leads out of the folder, or is no file")
                continue
            files, size = files + 1, size + real.stat().st_size
            if size > MOST_BYTES or files > MOST_FILES:
                text = f"server.webchat_dir: {root} has more than {MOST_FILES} files or {MOST_BYTES >> 20} MB"
                raise CannotServe(f"{text}; is it a web client?")
            yield path.relative_to(root).as_posix(), real.read_bytes()


def _file(name: str, found: Mapping[str, bytes]) -> _File:
    body = found[name]
    kind = _TYPES.get(PurePosixPath(name).suffix.lower(), _OF_NO_KIND)
    is_kept = name.startswith(_HASHED_FOLDERS) and _HASHED.search(name) is not None
    return _File(
        bodies={"": body}
        | {encoding: found[name + ending] for encoding, ending in _ENCODINGS if name + ending in found},
        headers={
            "Content-Type": kind,
            "Cache-Control": _FOREVER if is_kept else _ASK_AGAIN,
            "Cross-Origin-Resource-Policy": "same-origin",
            **(_RUN_HEADERS if kind in _RUN else {}),
        },
        tag=hashlib.sha256(body).hexdigest()[:20],
    )
