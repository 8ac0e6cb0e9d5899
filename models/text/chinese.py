"""Chinese in Simplified or Traditional characters, by OpenCC (https://github.com/BYVoid/OpenCC)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from models.language.languages import Script

if TYPE_CHECKING:
    from opencc import OpenCC

# OpenCC's conversions by phrases, and the forms of a region; words stay the words that were said.
# Traditional Chinese without a region has the forms of Taiwan, as in Unicode's CLDR.
_FROM_SIMPLIFIED: dict[Script, str] = {"Hant": "s2tw", "Hant-TW": "s2tw", "Hant-HK": "s2hk"}
_FORMS: dict[Script, str] = {"Hant-TW": "t2tw", "Hant-HK": "t2hk"}
# Hong Kong's forms of Traditional characters that Big5 has in another form.
_HONG_KONG = frozenset("着温户脱税卧悦兑葱囱蜕叁")


def marks(text: str) -> tuple[int, int]:
    """The numbers of characters that are Simplified alone, and that are Traditional alone."""
    simplified, traditional = _alone(text)
    return sum(each in simplified for each in text), sum(each in traditional for each in text)


def _alone(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The characters of a text that only GB 2312 has, and those that only Big5 has."""
    simplified, traditional = _within(text, "gb2312"), _within(text, "big5")
    return simplified - traditional - _HONG_KONG, traditional - simplified


def _within(text: str, charset: str) -> frozenset[str]:
    characters = text.encode(charset, "ignore").decode(charset)
    return frozenset(character for character in characters if "\u4e00" <= character <= "\u9fff")


def converted(text: str, script: Script) -> list[str]:
    """The new text, character by character; a text that is in the script stays as it is."""
    simplified, traditional = _alone(text)
    if script == "Hans":
        return list(_converter("t2s").convert(text) if traditional else text)
    if simplified or not traditional:
        # All in one script first: of a mixture OpenCC would make 干 in 干擾 to 幹.
        whole = _converter("t2s").convert(text) if traditional else text
        new = _converter(_FROM_SIMPLIFIED[script]).convert(whole)
        text = "".join(a if a in traditional else b for a, b in zip(text, new, strict=True))
    return list(_converter(_FORMS[script]).convert(text) if script in _FORMS else text)


@cache
def _converter(name: str) -> OpenCC:
    # Here, not above: with its tables it takes 50 MB, and half a second.
    from opencc import OpenCC

    return OpenCC(name)
