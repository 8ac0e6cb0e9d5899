"""Word error rates, over texts normalised as Whisper's paper does."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer

from scripts.bench.corpus import Clip
from scripts.bench.errors import BenchError

# Written without spaces between words: letters are counted (Radford et al. 2022, appendix C).
_UNSPACED = frozenset({"zh", "ja", "th", "lo", "my", "yue"})


def word_error_rate(clips: Sequence[Clip], texts: Sequence[str]) -> float | None:
    """Errors in percent of the reference's words over all clips; None without references.

    Raises:
        BenchError: jiwer is not installed.
    """
    try:
        import jiwer
    except ImportError as error:
        raise BenchError("jiwer is not installed: pip install -e '.[bench]'") from error

    normalise = _normaliser(clips[0].language)
    pairs = [
        (normalise(clip.text), normalise(text))
        for clip, text in zip(clips, texts, strict=True)
        if clip.text is not None
    ]
    # a reference without words counts no errors
    pairs = [pair for pair in pairs if pair[0].strip()]
    if not pairs:
        return None
    references, hypotheses = zip(*pairs, strict=True)
    return 100.0 * float(jiwer.wer(list(references), list(hypotheses)))


def _normaliser(language: str) -> Callable[[str], str]:
    normaliser: Callable[[str], str]
    if language == "en":
        normaliser = EnglishTextNormalizer()  # type: ignore[no-untyped-call]
    else:
        normaliser = BasicTextNormalizer(split_letters=language in _UNSPACED)
    return normaliser
