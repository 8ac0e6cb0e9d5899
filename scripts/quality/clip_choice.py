"""Choice of clips from a corpus."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from models.language.languages import LANGUAGES
from scripts.shared.command_line import positive, positive_float
from scripts.shared.errors import BenchError
from scripts.shared.manifest import OWN_SPEECH, Clip, manifest_of, read_manifest


@dataclass(frozen=True)
class Choice:
    """Criteria of clips: lengths in seconds; no languages are all of them.

    `limit` is the number of clips at most of a language and kind. The same speech in other
    formats is never chosen.
    """

    audio: Path = OWN_SPEECH
    languages: tuple[str, ...] = ()
    kind: str = ""
    shorter_than: float = float("inf")
    longer_than: float = 0.0
    limit: int | None = None

    def takes(self, clip: Clip) -> bool:
        """True if a clip meets them."""
        return (
            not clip.is_variant
            and (not self.languages or clip.language in self.languages)
            and self.kind in clip.kind
            and self.longer_than < clip.seconds < self.shorter_than
        )


def add_choice(parser: argparse.ArgumentParser) -> None:
    """The options that choose clips."""
    group = parser.add_argument_group("audio")
    group.add_argument(
        "--audio",
        type=Path,
        default=OWN_SPEECH,
        metavar="DIR_OR_MANIFEST",
        help="a manifest.jsonl with path, text, language, seconds, kind (default: tests/speech)",
    )
    group.add_argument(
        "--languages",
        type=_languages,
        default=(),
        metavar="CODE,...",
        help="none is for clips in which nobody speaks (default: all)",
    )
    group.add_argument("--kinds", default="", metavar="TEXT", help="only kinds that contain this")
    group.add_argument("--shorter-than", type=positive_float, default=float("inf"), metavar="S")
    group.add_argument("--longer-than", type=positive_float, default=0.0, metavar="S")
    group.add_argument(
        "--limit-per-group",
        type=positive,
        metavar="N",
        help="the first N of each language and kind, for a quick look",
    )


def choice_of(options: argparse.Namespace) -> Choice:
    """The choice that `add_choice`'s options make."""
    return Choice(
        options.audio,
        options.languages,
        options.kinds,
        options.shorter_than,
        options.longer_than,
        options.limit_per_group,
    )


def choose(choice: Choice) -> list[Clip]:
    """The clips that were chosen, in the corpus's order.

    Raises:
        BenchError: there is no corpus, nothing in it was chosen, or a chosen clip has no text.
    """
    manifest = manifest_of(choice.audio)
    if not manifest.is_file():
        raise BenchError(f"{choice.audio}: no such manifest, nor a folder with a manifest.jsonl")
    clips = _limited([clip for clip in read_manifest(manifest) if choice.takes(clip)], choice.limit)
    if not clips:
        raise BenchError(f"{choice.audio}: no recording there is as the options ask for")
    for clip in clips:
        if clip.is_speech and clip.text is None:
            raise BenchError(f"{manifest}: {clip.path.name} has no text")
    return clips


def _limited(clips: list[Clip], limit: int | None) -> list[Clip]:
    counts: Counter[tuple[str, str]] = Counter()
    taken = []
    for clip in clips:
        counts[clip.language, clip.kind] += 1
        if limit is None or counts[clip.language, clip.kind] <= limit:
            taken.append(clip)
    return taken


def _languages(text: str) -> tuple[str, ...]:
    codes = tuple(code for code in text.split(",") if code)
    for code in codes:
        if code not in LANGUAGES and code != "none":
            raise argparse.ArgumentTypeError(f"{code!r} is neither a language's code nor none")
    return codes
