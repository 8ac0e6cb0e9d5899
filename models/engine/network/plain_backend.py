"""Reference backend in plain PyTorch: encode windows, prefill prompts, decode a token a row."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from contextlib import AbstractContextManager

import torch
from torch import Tensor

from models.engine.decoding.alignment import RowRecorder, ScoreRecorder, token_starts
from models.engine.decoding.attempts import Attempt
from models.engine.decoding.sequence import Sequence, Window
from models.engine.decoding.token_rules import Chosen, TimestampState, TokenRules, choose
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.device.engine_config import Padding
from models.engine.network.decoder import Network
from models.engine.network.kv_cache import KVCache, SlotIndex
from models.engine.network.memory import held_bytes
from models.engine.network.packed_states import PackedStatesCache
from models.engine.network.precision import Precision
from models.engine.network.sparse_padding import EncoderPositions, encoder_positions


class PlainBackend:
    """The network, its cache and the token rules on one device: a `Backend` (backend.py)."""

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        precision: Precision,
        *,
        slots: int,
        padding: Padding,
    ) -> None:
        self.network, self.vocabulary, self.precision = network, vocabulary, precision
        self.padding: Padding = padding
        self.device = network.device
        self.cache = KVCache(
            network.dims,
            slots,
            self.device,
            state=precision.state,
            attention=precision.window_state,
        )
        self.rules = TokenRules(vocabulary, self.device)

    @property
    def overlaps(self) -> bool:
        """False: nothing decodes while a window is encoded."""
        return False

    @property
    def takes_samples(self) -> bool:
        """False: windows are log-mel."""
        return False

    @property
    def shares_windows(self) -> bool:
        """True: a row can be given the window of another."""
        return True

    def share_window(self, sequence: Sequence, row: Sequence) -> None:
        """Copy the window of a sequence's slot to a row's."""
        self.cache.window.copy(*slots_of([sequence, row]))

    def computing(self) -> AbstractContextManager[None]:
        """Context of the thread that computes: without gradients."""
        return torch.inference_mode()

    def wait(self) -> None:
        """Nothing to wait for: windows are encoded by `encode` itself."""

    @property
    def nbytes(self) -> int:
        """Bytes of the weights and the cache."""
        return held_bytes(self.network, self.cache)

    def encode(self, sequences: Seq[Sequence]) -> Iterator[None]:
        """Encode these windows and store their cross-KV in their slots, a layer at a time.

        Between two layers others may run. What has no slot any more at the end is not stored.
        """
        sequences = tuple(sequences)
        positions = self._positions(sequences[0])
        mel = torch.stack([sequence.window.audio for sequence in sequences])
        audio = mel.to(self.device, self.precision.state)
        for states in self.network.encoder.stages(audio, positions):
            yield
            audio = states
        rows = [row for row, sequence in enumerate(sequences) if sequence.slot is not None]
        self._store(audio[rows], slots_of(sequences), positions)

    def _store(self, states: Tensor, slots: list[int], positions: EncoderPositions) -> None:
        """Of encoder states, [batch, positions, n_audio_state], what decode steps read."""
        window = self.cache.window
        if isinstance(window, PackedStatesCache):
            window.write(slots, positions, states)
        else:
            index = torch.tensor(slots, device=self.device)
            self.network.decoder.write_cross(states, window, index)
            window.write_positions(slots, positions)

    def _positions(self, sequence: Sequence) -> EncoderPositions:
        return encoder_positions(
            sequence.window.frames, self.network.dims.n_audio_ctx, self.padding, self.device
        )

    def prefill(self, sequences: Seq[Sequence]) -> Tensor:
        """Feed prompts and note their no-speech; the logits after each, [rows, n_vocab].

        Behind a prompt comes the prefix. For windows with word timestamps the alignment heads'
        scores of its tokens are recorded.
        """
        prompts = [(*sequence.prompt, *sequence.tokens) for sequence in sequences]
        timed = {
            row: range(len(sequence.prompt), len(prompts[row]))
            for row, sequence in enumerate(sequences)
            if sequence.tokens and sequence.window.word_timestamps
        }
        recorder = RowRecorder(timed)
        states = self.feed_prompts(sequences, prompts, recorder if timed else None)
        for row, scores in recorder.scores.items():
            sequences[row].scores = scores
        rows = range(len(prompts))
        starts = [prompt.index(self.vocabulary.sot) for prompt in prompts]
        ends = [len(prompt) - 1 for prompt in prompts]
        at_start = self.network.decoder.logits(states[rows, starts])
        no_speech = at_start.softmax(-1)[:, self.vocabulary.no_speech].tolist()
        for sequence, probability in zip(sequences, no_speech, strict=True):
            sequence.no_speech_prob = probability
        return self.network.decoder.logits(states[rows, ends])

    def feed_prompts(
        self, sequences: Seq[Sequence], prompts: Seq[Seq[int]], recorder: ScoreRecorder | None
    ) -> Tensor:
        """The states of prompts, [rows, longest, n_text_state]."""
        return self._decode(sequences, prompts, [0] * len(prompts), recorder)

    def step(self, sequences: Seq[Sequence]) -> list[Chosen]:
        """Feed each row's last token and choose the next; on some devices several, one by one."""
        return [self.choose(self.decode(sequences), sequences)]

    def decode(self, sequences: Seq[Sequence]) -> Tensor:
        """Feed each row's last token; the logits after it, [rows, n_vocab].

        For windows with word timestamps the alignment heads' scores are recorded.
        """
        tokens = [sequence.tokens[-1:] for sequence in sequences]
        positions = [sequence.position for sequence in sequences]
        timed = {n: range(1) for n, seq in enumerate(sequences) if seq.window.word_timestamps}
        recorder = RowRecorder(timed)
        states = self._decode(sequences, tokens, positions, recorder if timed else None)
        for row, scores in recorder.scores.items():
            # At its place: a step for which memory ran out is run again.
            sequences[row].scores[len(sequences[row].tokens) - 1 :] = scores
        return self.network.decoder.logits(states[:, 0])

    def align(self, attempts: Seq[tuple[Window, Attempt]]) -> list[tuple[float, ...]]:
        """Token times of windows that have ended, in seconds: `DecodingResult.starts`."""
        return token_starts(attempts, self.vocabulary.eot)

    def choose(self, logits: Tensor, sequences: Seq[Sequence]) -> Chosen:
        """Each row's next token and its log-probability under the rules, from [rows, n_vocab]."""
        state = TimestampState.of(sequences, self.rules.begin, self.device)
        self.rules.apply(logits, state)
        return choose(logits, sequences)

    def language_probs(self, logits: Tensor) -> dict[str, float]:
        """Probability of each language, from the logits after start-of-transcript, [n_vocab]."""
        languages = self.vocabulary.languages
        probabilities = logits[list(languages.values())].softmax(-1).tolist()
        return dict(zip(languages, probabilities, strict=True))

    def _decode(
        self,
        sequences: Seq[Sequence],
        tokens: Seq[Seq[int]],
        starts: Seq[int],
        recorder: ScoreRecorder | None = None,
    ) -> Tensor:
        """The states of tokens at the positions from `starts` on, [rows, longest, n_text_state]."""
        width = max(len(row) for row in tokens)
        # What pads a short row stands after its tokens: nothing sees it before it is overwritten.
        padded = [[*row, *[self.vocabulary.eot] * (width - len(row))] for row in tokens]
        positions = [list(range(start, start + width)) for start in starts]
        rows = SlotIndex.at(slots_of(sequences), positions, self.device)
        fed = torch.tensor(padded, device=self.device)
        states: Tensor = self.network.decoder(fed, self.cache, rows, recorder)
        return states


def slots_of(sequences: Seq[Sequence]) -> list[int]:
    """The slots of those that have one."""
    return [sequence.slot for sequence in sequences if sequence.slot is not None]
