"""What HTTP says about handing out a file: conditions, one range of it, its name (RFC 9110, RFC 6266).

Sans I/O. Knows headers; knows no file, no database and no framework.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from werkzeug.http import parse_date

from amtrio.clock import MICROS_PER_SECOND

_RANGE = re.compile(r"bytes[ \t]*=[ \t]*(\d*)[ \t]*-[ \t]*(\d*)", re.ASCII)
_ETAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")|(\*)')
# RFC 8187, 3.2.1: attr-char.
_ATTR_CHARS = "!#$&+-.^_`|~"

Header = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to send.

    Attributes:
        status: 200, 206, 304 or 416. start, stop: the bytes to send, none if they are equal.
    """

    status: int
    start: int
    stop: int
    headers: dict[str, str]


def plan(header: Header, *, size: int, sha256: str, changed_us: int) -> Plan:
    """
    Answer a request's conditions.

    Args:
        header: of the request, by name.
        changed_us: when the file came to be, microseconds since 1970 UTC.
    """
    etag = f'"{sha256}"'
    changed_s = changed_us // MICROS_PER_SECOND
    headers = {
        "ETag": etag,
        "Last-Modified": format_datetime(datetime.fromtimestamp(changed_s, UTC), usegmt=True),
        "Accept-Ranges": "bytes",
    }
    if _is_unchanged(header, etag, changed_s):
        return Plan(304, 0, 0, headers)
    start, stop, status = 0, size, 200
    wanted = header("Range")
    if wanted is not None and _is_same(header("If-Range"), etag, changed_s):
        found = _RANGE.fullmatch(wanted.strip())
        if found and (found[1] or found[2]):
            start, stop = _bounds(found[1], found[2], size)
            if start >= stop:
                return Plan(416, 0, 0, {**headers, "Content-Range": f"bytes */{size}", "Content-Length": "0"})
            status = 206
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    headers["Content-Length"] = str(stop - start)
    return Plan(status, start, stop, headers)


def _is_unchanged(header: Header, etag: str, changed_s: int) -> bool:
    """If-None-Match, or where there is none If-Modified-Since (RFC 9110, 13.2.2)."""
    tags = header("If-None-Match")
    if tags is not None:
        return any(tag in (etag, "") for tag, _star in _ETAG.findall(tags))
    since = _seconds(header("If-Modified-Since"))
    return since is not None and changed_s <= since


def _is_same(if_range: str | None, etag: str, changed_s: int) -> bool:
    """Whether a range of what the client has goes with what we have; a weak tag never does (RFC 9110, 13.1.5)."""
    if if_range is None:
        return True
    return if_range.strip() == etag or _seconds(if_range) == changed_s


def _seconds(date: str | None) -> int | None:
    found = parse_date(date) if date else None
    return int(found.timestamp()) if found is not None else None


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """`a-b`, `a-` or `-n` as start and stop; equal or crossed if nothing of the file is in it."""
    # int() refuses texts of thousands of digits; nothing that long is within a file.
    if len(first) > _MANY_DIGITS or (not first and len(last) > _MANY_DIGITS):
        return (0, 0) if first else (0, size)
    if not first:
        return max(0, size - int(last)), size
    stop = size if not last or len(last) > _MANY_DIGITS else min(size, int(last) + 1)
    if last and len(last) <= _MANY_DIGITS and int(last) < int(first):
        return 0, 0
    return int(first), stop


_MANY_DIGITS = 18


def disposition(filename: str, *, is_inline: bool) -> str:
    """`Content-Disposition`, with the name for old readers and for all others (RFC 6266, appendix D)."""
    kind = "inline" if is_inline else "attachment"
    plain = "".join(char if " " <= char <= "~" and char not in '"\\%' else "_" for char in filename)
    parts = [kind, f'filename="{plain}"']
    if plain != filename:
        parts.append(f"filename*=UTF-8''{quote(filename, safe=_ATTR_CHARS)}")
    return "; ".join(parts)
