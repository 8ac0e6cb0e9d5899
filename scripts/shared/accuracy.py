"""Word error rate over texts normalised as Whisper's paper does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

from models.text.words import UNSPACED
from scripts.shared.errors import BenchError
from scripts.shared.manifest import Clip


@dataclass(frozen=True)
class Errors:
    """Words of the reference, and what has to be changed in a text to get there."""

    words: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0

    def __add__(self, other: Errors) -> Errors:
        return Errors(
            self.words + other.words,
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
        )

    @property
    def count(self) -> int:
        """All errors."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def rate(self) -> float | None:
        """All errors in percent of the words; None without words."""
        return self._percent(self.count)

    @property
    def deletion_rate(self) -> float | None:
        """Words left out, in percent of the words; None without words."""
        return self._percent(self.deletions)

    def _percent(self, errors: int) -> float | None:
        return 100.0 * errors / self.words if self.words else None


def count_errors(reference: str, text: str, language: str) -> Errors:
    """The errors of a text; letters are the words of the languages in `UNSPACED`.

    A reference without words counts no errors.

    Raises:
        BenchError: jiwer is not installed.
    """
    try:
        import jiwer
    except ImportError as error:
        raise BenchError("jiwer is not installed: scripts/setup bench") from error

    spoken = normalised(reference, language)
    if not spoken:
        return Errors()
    found = jiwer.process_words(spoken, normalised(text, language))
    words = found.hits + found.substitutions + found.deletions
    return Errors(words, found.substitutions, found.deletions, found.insertions)


def word_error_rate(clips: Sequence[Clip], texts: Sequence[str]) -> float | None:
    """Errors in percent of the reference's words over all clips; None without references.

    Raises:
        BenchError: jiwer is not installed.
    """
    pairs = zip(clips, texts, strict=True)
    counted = [count_errors(c.text, text, c.language) for c, text in pairs if c.text is not None]
    return sum(counted, Errors()).rate


def normalised(text: str, language: str) -> str:
    """Its words alone, without capitals, punctuation and ways to write a number."""
    return _normaliser(language)(text).strip()


@cache
def _normaliser(language: str) -> Callable[[str], str]:
    normaliser: Callable[[str], str]
    if language == "en":
        normaliser = EnglishTextNormalizer()  # type: ignore[no-untyped-call]
    else:
        normaliser = BasicTextNormalizer(split_letters=language in UNSPACED)
    return normaliser
