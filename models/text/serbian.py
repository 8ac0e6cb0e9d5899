"""Serbian in Latin or Cyrillic letters, which stand for each other (ISO 9, Gaj's alphabet)."""

from __future__ import annotations

import re

from models.language.languages import Script

_CYRILLIC = "абвгдђежзијклмнопрстћуфхцчш"
_LATIN = "abvgdđežzijklmnoprstćufhcčš"
_DIGRAPHS = {"љ": "lj", "њ": "nj", "џ": "dž"}
_TO_LATIN = dict(zip(_CYRILLIC, _LATIN, strict=True)) | _DIGRAPHS
_TO_CYRILLIC = dict(zip(_LATIN, _CYRILLIC, strict=True))
_TO_CYRILLIC |= {latin: cyrillic for cyrillic, latin in _DIGRAPHS.items()}
_WORD = re.compile(r"[^\W\d_]+")
# Serbian has no such letters: a word with one is foreign.
_FOREIGN = frozenset("qwxy")
# Prefixes whose last letter makes no digraph with the word behind them.
_SEAM = re.compile(
    r"in(?=jek)|kon(?=jug|jun|jek)|tan(?=jug)|van(?=jez)|nad(?=živ|žnj|žup)|pod(?=žanr|žeg)"
    r"|od(?=žal|živ|žel|žva)|pred(?=živ)",
    re.IGNORECASE,
)


def marks(text: str) -> tuple[int, int]:
    """The numbers of letters that are Latin, and that are Cyrillic."""
    letters = [character for character in text.lower() if character.isalpha()]
    cyrillic = sum("\u0400" <= letter <= "\u04ff" for letter in letters)
    return len(letters) - cyrillic, cyrillic


def converted(text: str, script: Script) -> list[str]:
    """The new text, character by character: perhaps two letters for one, or none for the second.

    Latin words within a Cyrillic text stay: they are foreign.
    """
    if script == "Latn":
        return [_latin(text, place) for place in range(len(text))]
    latin, cyrillic = marks(text)
    pieces = list(text)
    if latin > cyrillic:
        for word in _WORD.finditer(text):
            pieces[word.start() : word.end()] = _cyrillic(word[0])
    return pieces


def _latin(text: str, place: int) -> str:
    character = text[place]
    latin = _TO_LATIN.get(character.lower())
    if latin is None:
        return character
    if character.islower():
        return latin
    beside = (
        text[place + 1 : place + 2]
        if text[place + 1 : place + 2].isalpha()
        else text[place - 1 : place]
    )
    return latin.upper() if beside.isupper() else latin.capitalize()


def _cyrillic(word: str) -> list[str]:
    if not _FOREIGN.isdisjoint(word.lower()):
        return list(word)
    seam = prefix.end() if (prefix := _SEAM.match(word)) else 0
    pieces: list[str] = []
    while len(pieces) < len(word):
        place = len(pieces)
        pair = word[place : place + 2]
        is_digraph = len(pair) == 2 and pair.lower() in _TO_CYRILLIC and place + 1 != seam
        latin = pair if is_digraph else word[place]
        cyrillic = _TO_CYRILLIC.get(latin.lower(), latin)
        pieces.append(cyrillic.upper() if latin[0].isupper() else cyrillic)
        pieces += [""] * is_digraph
    return pieces
