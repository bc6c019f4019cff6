"""Makes `photos.json`: small photos with a camera's metadata, and what is left of them without it.

`python -m tests.vectors.photos > tests/vectors/photos.json`. Encoders change with their versions, so the file is what
counts; what it says is held against the server in tests/media, and against the web chat in webchat/test/encryption.
"""

from __future__ import annotations

import base64
import json
import tempfile
from pathlib import Path
from typing import Any

from amtrio.media.metadata import strip
from tests.pictures import MAKER, animation, picture

TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "AVIF": "image/avif"}


def stripped(data: bytes, kind: str, orientation: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "source"), Path(folder, "target")
        source.write_bytes(data)
        strip(source, target, TYPES[kind], orientation)
        return target.read_bytes()


def vector(name: str, kind: str, orientation: int, data: bytes) -> dict[str, Any]:
    return {
        "name": name,
        "content_type": TYPES[kind],
        "orientation": orientation,
        "photo": base64.b64encode(data).decode(),
        "stripped": base64.b64encode(stripped(data, kind, orientation)).decode(),
    }


def vectors() -> dict[str, Any]:
    size = (16, 12)
    upright, turned = (
        [vector(f"{kind}, {how}", kind, turn, picture(kind, size=size, orientation=turn)) for kind in TYPES]
        for how, turn in (("upright", 1), ("turned", 6))
    )
    several = picture("JPEG", size=size, orientation=6, progressive=True, comment=b"taken at home", icc_profile=b"icc")
    second = picture("JPEG", size=size, orientation=1)
    return {
        "about": "Photos and what is left of them without metadata, in base64. See photos.py.",
        "maker": MAKER,
        "photos": [
            *upright,
            *turned,
            vector("JPEG of several scans, with a comment and a profile", "JPEG", 6, several),
            vector("JPEG with a second picture behind it", "JPEG", 1, second + second),
            vector("WebP that moves", "WEBP", 1, animation("WEBP")),
        ],
    }


if __name__ == "__main__":
    print(json.dumps(vectors(), indent=2))
