"""Language tags: Whisper's code of a BCP 47 tag, an ISO 639 code or a name."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from models.language.language_names import CODES, NAMES, SCRIPTED_NAMES
from models.language.languages import LANGUAGES, Script

# What means: detect it. The last three are what programs write where they have no value.
_DETECT = frozenset({"auto", "detect", "und", "none", "null", "undefined"})

# No tag or name is longer.
_LONGEST = 100
_TAG = re.compile(r"(?:i|[a-z]{2,3})(?:-[a-z0-9]{1,8})*")
_BETWEEN = re.compile(r"[,;/]")
_PUNCTUATION = re.compile(r"[(),;/]")
# Apostrophes, also as a letter of Hawaiian and Uzbek.
_ASIDE = str.maketrans("", "", "'\u2018\u2019\u02bb\u02bc`")
# Subtags that tell the script: of ISO 15924, regions, Windows' old names, and POSIX's modifiers.
_CHINESE: dict[str, Script] = {
    **dict.fromkeys(("hans", "chs", "cn", "sg", "my"), "Hans"),
    **dict.fromkeys(("hant", "cht"), "Hant"),
    **dict.fromkeys(("hk", "mo"), "Hant-HK"),
    "tw": "Hant-TW",
}
_SERBIAN: dict[str, Script] = {
    **dict.fromkeys(("latn", "latin"), "Latn"),
    **dict.fromkeys(("cyrl", "cyrillic"), "Cyrl"),
}
_SCRIPTS = {"zh": _CHINESE, "yue": _CHINESE, "sr": _SERBIAN}


@dataclass(frozen=True)
class Language:
    """One of Whisper's languages, by its code, and the script asked for with it."""

    code: str
    script: Script | None = None


def find_language(text: str) -> Language | None:
    """The language that a code, a BCP 47 tag (RFC 5646) or a name means; None: none of Whisper's.

    Codes are those of ISO 639-1, -2 and -3, withdrawn ones as well. Names are in English or in the
    language itself, with or without accents. Case does not matter, nor does `_` for `-`.
    """
    if len(text) > _LONGEST:
        return None
    name = _normal(text)
    if found := _named(name):
        return found
    # POSIX has a character set behind the region, as in sr_RS.UTF-8@latin.
    tag = re.sub(r"\.[^@]*", "", name).replace("@", "-")
    if _TAG.fullmatch(tag) and (tagged := _tagged(tag.split("-"))):
        return tagged
    # As browsers and registries show them: Deutsch (Schweiz), Spanish; Castilian.
    meant = {_named(part) for part in _BETWEEN.split(name.partition("(")[0])}
    return meant.pop() if len(meant) == 1 else None


def asks_to_detect(text: str) -> bool:
    """True for what stands for no language: `auto`, `und` and the like."""
    name = _normal(text) if len(text) <= _LONGEST else ""
    return name in _DETECT or name.startswith("und-")


def same_language(tag: str, other: str) -> bool:
    """True if both BCP 47 tags are of one language and, where both have more, of one such."""
    (code, rest), (other_code, other_rest) = _code_and_rest(tag), _code_and_rest(other)
    return code == other_code and (not rest or not other_rest or rest == other_rest)


def _code_and_rest(tag: str) -> tuple[str, str]:
    """Whisper's code for a tag's language, or its own, and the subtags behind it."""
    first, _, rest = _normal(tag).partition("-")
    return _codes().get(first, first), rest


def near_languages(text: str) -> list[str]:
    """Codes and names that resemble a text, the nearest first, at most three."""
    return get_close_matches(_normal(text[:_LONGEST]), [*_names(), *_codes()], n=3, cutoff=0.7)


def _normal(text: str) -> str:
    """A tag or a name as it is compared: NFKC, without case, with `-` for `_`."""
    return unicodedata.normalize("NFKC", text.strip()).casefold().replace("_", "-")


def _key(name: str, *, accents: bool) -> str:
    """The words of a name alone, with or without the accents of Latin, Greek and Cyrillic."""
    text = _PUNCTUATION.sub(" ", name.replace("-", " ")).translate(_ASIDE)
    if not accents:
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not _is_accent(c))
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _is_accent(character: str) -> bool:
    return "\u0300" <= character <= "\u036f"


@cache
def _codes() -> dict[str, str]:
    """Codes and grandfathered tags, each with Whisper's code."""
    more = {alias: code for code, aliases in CODES.items() for alias in aliases.split()}
    return more | {code: code for code in LANGUAGES}


@cache
def _names() -> dict[str, Language]:
    """Names as they are compared, each with accents and without."""
    pairs = [
        (name, Language(code))
        for code, english in LANGUAGES.items()
        for name in (english, *filter(None, NAMES.get(code, "").split(", ")))
    ]
    pairs += [(name, Language(*meant)) for name, meant in SCRIPTED_NAMES.items()]
    keyed = [(_normal(name), language) for name, language in pairs]
    plain = {_key(name, accents=False): language for name, language in keyed}
    return plain | {_key(name, accents=True): language for name, language in keyed}


def _named(name: str) -> Language | None:
    names = _names()
    return names.get(_key(name, accents=True)) or names.get(_key(name, accents=False))


def _tagged(subtags: list[str]) -> Language | None:
    """The language of a tag's subtags; of `zh-yue` and `no-nyn` the second tells it."""
    codes = _codes()
    first, *others = subtags
    code = codes.get(first)
    # Behind a single letter come extensions, which say nothing of the script.
    ends = [place for place, subtag in enumerate(others) if len(subtag) == 1]
    others = others[: ends[0]] if ends else others
    if others:
        code = codes.get(f"{code or first}-{others[0]}", code)
    if code is None:
        return None
    scripts = _SCRIPTS.get(code, {})
    named = [scripts[subtag] for subtag in others if subtag in scripts]
    # The script comes before the region, which may tell more of it, as in zh-Hant-HK.
    return Language(code, next((each for each in named[::-1] if each.startswith(named[0])), None))
