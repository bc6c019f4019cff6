"""What counts as one emoji, and its one spelling.

Knows Unicode. Knows no message and no reaction.

Source: Unicode Technical Standard #51, "Emoji Sequences" (1.4) and ED-18a, "fully-qualified emoji".
"""

from __future__ import annotations

from typing import Final

import regex

# The longest emoji of Unicode 17 has 10 code points; without a limit, joiners could chain people for ever.
MAX_CODE_POINTS: Final = 32
_SELECTORS: Final = str.maketrans("", "", "\ufe0e\ufe0f")

_FLAG = r"\p{Regional_Indicator}{2}"
_KEYCAP = r"[0-9#*]\uFE0F\u20E3"
# Digits and single letters of flags are "emoji" to Unicode only as parts. What is pictographic but not assigned yet
# is drawn by phones that are newer than this server.
_PICTURE = r"(?![0-9#*\p{Regional_Indicator}])(?:\p{Emoji}|(?=\p{Extended_Pictographic})\p{Cn})"
_TAGS = r"[\U000E0020-\U000E007E]+\U000E007F"
_ELEMENT = rf"(?:{_FLAG}|{_PICTURE}(?:\p{{Emoji_Modifier}}|\uFE0F|{_TAGS})?)"
_EMOJI = regex.compile(rf"{_KEYCAP}|{_ELEMENT}(?:\u200D{_ELEMENT})*")
_ONE_CLUSTER = regex.compile(r"\X")
# Drawn as text unless a selector or a skin tone says otherwise.
_SHOWN_AS_TEXT = regex.compile(r"(?!\p{Emoji_Modifier})\p{Emoji}(?<!\p{Emoji_Presentation})(?!\p{Emoji_Modifier})")


def one_emoji(text: str) -> str | None:
    """
    The emoji as it is stored, None if `text` is anything but one.

    Whether a client writes the selector behind ❤ or leaves it out, it is the same heart.
    """
    if len(text) > MAX_CODE_POINTS:
        return None
    spelled = _SHOWN_AS_TEXT.sub("\\g<0>\ufe0f", text.translate(_SELECTORS))
    return spelled if _EMOJI.fullmatch(spelled) and _ONE_CLUSTER.fullmatch(spelled) else None
