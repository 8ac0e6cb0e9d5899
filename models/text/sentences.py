"""Ends of sentences, in the scripts that Whisper writes."""

from __future__ import annotations

SENTENCE_ENDS = frozenset(".!?…。．！？؟۔।॥։።។")  # noqa: RUF001 (all are meant)
# Quotation marks and brackets that may follow the end of what they enclose.
_CLOSERS = "\"'”’»)]}」』）】》"  # noqa: RUF001 (all are meant)


def last_mark(text: str) -> str:
    """The last character of a text, or of what its closing quotes and brackets enclose."""
    return text.rstrip().rstrip(_CLOSERS)[-1:]


def ends_sentence(text: str) -> bool:
    """True if a sentence is finished at the end of a text; behind an ellipsis none is."""
    text = text.rstrip().rstrip(_CLOSERS)
    return text[-1:] in SENTENCE_ENDS and not text.endswith(("...", "\u2026"))
