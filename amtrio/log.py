"""Setting up the logs: one stream, one line per event, JSON or for the eye, and never a secret in it.

Knows structlog and the standard library's logging, through which the libraries below us speak. Knows nothing of what
is logged; modules say `log = structlog.get_logger()` and `log.info("session_closed", reason=reason)`.
"""

from __future__ import annotations

import logging
import re
import sys
from functools import lru_cache
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from amtrio.clock import Clock, SystemClock, rfc3339

HIDDEN: Final = "***"

# Whole words only, so that `keyboard` and `monkey` pass. Numbers pass as well: `tokens_left=3` is no secret.
_SECRET_NAME: Final = re.compile(
    r"(?:^|[_\-.])(?:token|secret|password|passwd|passphrase|authorization|cookie|key|apikey|jwt|credential|signature)s?"
    r"(?:$|[_\-.])",
    re.IGNORECASE,
)
# COMPAT: older clients put their credential into the URL, and a URL gets into messages of every library.
_SECRET_IN_URL: Final = re.compile(
    r"((?:^|[?&\s;])(?:[a-z_\-]*(?:token|secret|password|passwd|jwt|signature)|api_?key|key|code)=)[^&\s\"'#]+",
    re.IGNORECASE,
)
_BEARER: Final = re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=\-]{8,}", re.IGNORECASE)
# RFC 7515, 7.1: three base64url parts; the first is a JSON object, so it begins with eyJ.
_JWT: Final = re.compile(r"\beyJ[A-Za-z0-9_\-]{6,}\.[A-Za-z0-9_\-]+\.[A-Za-z0-9_\-]*")

_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MAX_DEPTH: Final = 6

# They tell every request and every frame at info and debug; only what is wrong with them is of interest.
_CHATTY: Final = (
    "hypercorn.access",
    "hypercorn.error",
    "trio-websocket",
    "httpx",
    "httpcore",
    "hpack",
    "quart",
    "markdown_it",
)
# They write down whole URLs and headers, and those of pushes hold the tokens of people's devices: nobody may see them.
_TELL_TALE: Final = ("httpx", "httpcore", "hpack")


def configure(
    *,
    level: str = "info",
    style: str = "auto",
    stream: TextIO | None = None,
    clock: Clock | None = None,
) -> None:
    """
    Send everything that is logged, by us and by libraries, to one stream.

    Args:
        level: the least level shown: debug, info, warning or error.
        style: `json`, `console`, or `auto` = console when the stream is a terminal.
        stream: standard error unless said otherwise.
        clock: where timestamps come from.
    """
    stream = sys.stderr if stream is None else stream
    is_console = style == "console" or (style == "auto" and stream.isatty())
    least = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _Timestamp(clock or SystemClock()),
        # Tracebacks become text before the secrets are taken out, and never show local variables.
        structlog.processors.format_exc_info,
        redact,
    ]
    render: list[Processor]
    if is_console:
        render = [
            _picture_controls,
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback, pad_event_to=28
            ),
        ]
    else:
        render = [
            structlog.processors.JSONRenderer()
        ]  # ASCII: an unpaired surrogate in a value cannot break the stream
    structlog.configure(
        processors=[*shared, *render],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    _adopt_standard_library(least, stream, shared, render)


def _adopt_standard_library(least: int, stream: TextIO, shared: list[Processor], render: list[Processor]) -> None:
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *shared, *render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(least)
    for name in _CHATTY:
        is_wanted = least <= logging.DEBUG and name not in _TELL_TALE
        logging.getLogger(name).setLevel(logging.DEBUG if is_wanted else logging.WARNING)
    logging.captureWarnings(capture=True)


class _Timestamp:
    """The time of the event, RFC 3339 in UTC."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["timestamp"] = rfc3339(self.clock.now_us())
        return event


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: hide values under secret names, and secrets inside texts (URLs, headers, tokens)."""
    return {name: _cleaned(name, value, 0) for name, value in event.items()}


def redact_text(text: str, /) -> str:
    """The same text without what looks like a credential."""
    # Most values are single words; that a pattern cannot match is seen at a fraction of the cost of trying it.
    if "=" in text:
        text = _SECRET_IN_URL.sub(rf"\1{HIDDEN}", text)
    if len(text.split(None, 1)) > 1:
        text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _JWT.sub(HIDDEN, text) if "eyJ" in text else text


@lru_cache(maxsize=1024)  # fields have few names; headers of strangers make room for each other
def _is_secret_name(name: str) -> bool:
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None


def _cleaned(name: str, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if _is_secret_name(name):
        return HIDDEN
    if isinstance(value, (bytes, bytearray)):
        value = value.decode(errors="backslashreplace")
    if isinstance(value, str):
        return redact_text(value)
    if depth > _MAX_DEPTH:
        return "…"
    if isinstance(value, dict):
        return {key: _cleaned(str(key), item, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_cleaned_item(name, item, depth + 1) for item in value]
    return redact_text(repr(value))


def _cleaned_item(name: str, item: Any, depth: int) -> Any:
    """Headers come as pairs: ("authorization", "Bearer …") hides its second half."""
    match item:
        case (str() | bytes() as key, str() | bytes() as value):
            key = key.decode("latin-1") if isinstance(key, bytes) else key
            value = value.decode("latin-1") if isinstance(value, bytes) else value
            return [key, _cleaned(key, value, depth)]
        case _:
            return _cleaned(name, item, depth)


def _picture_controls(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """What strangers send cannot move the cursor of the terminal or forge a line; JSON needs no help with that."""
    for name, value in event.items():
        if isinstance(value, str) and name != "exception" and not value.isprintable():
            event[name] = "".join(each if each.isprintable() else _picture(each) for each in value)
    return event


def _picture(control: str) -> str:
    """Unicode has a picture of each control character below 0x20; whatever else does not print is one blot."""
    return chr(0x2400 + ord(control)) if ord(control) < ord(" ") else "\N{REPLACEMENT CHARACTER}"
