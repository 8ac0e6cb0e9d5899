"""Vocabulary of one checkpoint: prompts, suppressed tokens, languages, text to tokens and back."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from types import SimpleNamespace

from whisper.tokenizer import Tokenizer, get_tokenizer

from models.checkpoints.catalogue import Dimensions
from models.options import Task


class Vocabulary:
    """openai-whisper's tokenizer, asked in the engine's terms (source: whisper/decoding.py)."""

    def __init__(self, dims: Dimensions) -> None:
        self.dims = dims
        self._tokenizer = self._tokenizer_for(None, None)
        self.eot: int = self._tokenizer.eot
        self.sot: int = self._tokenizer.sot
        self.no_speech: int = self._tokenizer.no_speech
        self.no_timestamps: int = self._tokenizer.no_timestamps
        self.timestamp_begin: int = self._tokenizer.timestamp_begin

    def _tokenizer_for(self, language: str | None, task: Task | None) -> Tokenizer:
        return get_tokenizer(
            self.dims.is_multilingual,
            num_languages=self.dims.num_languages,
            language=language,
            task=task,
        )

    @property
    def prompt_limit(self) -> int:
        """Maximum number of previous tokens in a prompt."""
        return self.dims.n_text_ctx // 2 - 1

    @cached_property
    def suppressed(self) -> tuple[int, ...]:
        """Tokens never sampled: non-speech symbols, the prompt's special tokens, no-timestamps."""
        tokens = self._tokenizer
        specials = (
            tokens.transcribe,
            tokens.translate,
            tokens.sot,
            tokens.sot_prev,
            tokens.sot_lm,
            tokens.no_speech,
            tokens.no_timestamps,
        )
        return tuple(sorted({*self._non_speech_tokens(), *specials}))

    def _non_speech_tokens(self) -> tuple[int, ...]:
        """openai-whisper's, found without its look for special tokens, of which they have none.

        That compiles a pattern of 1,600 of them: a fifth of a second of every start.
        """
        ordinary = SimpleNamespace(encode=self._tokenizer.encoding.encode_ordinary)
        find = vars(Tokenizer)["non_speech_tokens"].func
        return tuple(find(SimpleNamespace(encoding=ordinary)))

    @cached_property
    def languages(self) -> dict[str, int]:
        """Language code -> its token, in token order."""
        tokens = self._tokenizer
        return dict(zip(tokens.all_language_codes, tokens.all_language_tokens, strict=True))

    def prompt(self, language: str, task: Task, previous: Sequence[int]) -> tuple[int, ...]:
        """The tokens a window is decoded after; of `previous` the last `prompt_limit`."""
        start = self._tokenizer_for(language, task).sot_sequence
        if not previous:
            return tuple(start)
        last = previous[-self.prompt_limit :]
        return (self._tokenizer.sot_prev, *last, *start)

    def encode(self, text: str) -> tuple[int, ...]:
        """Text to tokens; text that spells a special token is text like any other."""
        return tuple(self._tokenizer.encode(text, disallowed_special=()))

    def data(self, token: int) -> bytes:
        """The bytes of a token of the text."""
        return self._tokenizer.encoding.decode_single_token_bytes(token)

    def decode(self, tokens: Sequence[int]) -> str:
        """Tokens to text; special tokens and timestamps give none."""
        return str(self._tokenizer.encoding.decode([t for t in tokens if t < self.eot]))
