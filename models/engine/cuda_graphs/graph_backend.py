"""Backend that encodes beside decoding on two streams, both in static shapes as CUDA graphs."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from contextlib import AbstractContextManager

from torch import Tensor

from models.engine.cuda_graphs.graph_decoder import GraphDecoder
from models.engine.cuda_graphs.graph_encoder import GraphEncoder
from models.engine.cuda_graphs.graph_prompts import WIDEST, GraphPrompts
from models.engine.cuda_graphs.launcher import Launcher
from models.engine.decoding.alignment import ScoreRecorder
from models.engine.decoding.sequence import Sequence
from models.engine.decoding.token_rules import Chosen
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.network.decoder import Network
from models.engine.network.plain_backend import PlainBackend, slots_of
from models.engine.network.precision import Precision


class GraphBackend(PlainBackend):
    """A `Backend`; prompts with text, and first tokens, go as with `PlainBackend`."""

    def __init__(
        self,
        network: Network,
        vocabulary: Vocabulary,
        precision: Precision,
        launcher: Launcher,
        *,
        slots: int,
        encode_batch: int,
    ) -> None:
        super().__init__(network, vocabulary, precision, slots=slots, padding="full")
        self._launcher = launcher
        with launcher.computing():
            self._step = step = launcher.step(network.decoder, self.cache, self.rules)
            self._encoder = GraphEncoder(
                network, self.cache, launcher, encode_batch, step.store_states
            )
            self._decoder = GraphDecoder(network, step, vocabulary, launcher, slots)
            # Those of two lanes may have been encoded at the same moment; of three seldom.
            maximum = min(slots, 2 * encode_batch)
            self._prompts = GraphPrompts(network, self.cache, launcher, maximum, vocabulary.eot)
            for part in (self._encoder, self._decoder, self._prompts):
                part.warm_up()

    @property
    def overlaps(self) -> bool:
        """True: windows are encoded while others decode."""
        return True

    @property
    def takes_samples(self) -> bool:
        """True: log-mel is made on the device."""
        return True

    @property
    def shares_windows(self) -> bool:
        """False: a cancelled window may still be on its way into a free slot."""
        return False

    def computing(self) -> AbstractContextManager[None]:
        """Context of the thread that computes: its stream, without gradients."""
        return self._launcher.computing()

    @property
    def nbytes(self) -> int:
        """Bytes of the weights, the cache, and what the decode step holds beside it."""
        return super().nbytes + self._step.nbytes

    def wait(self) -> None:
        """Return when windows are encoded."""
        self._launcher.wait()

    def encode(self, sequences: Seq[Sequence]) -> Iterator[None]:
        """Encode these windows into their slots; each step looks if that is done.

        A slot that was given to another window meanwhile is that one's: it is encoded later.
        """
        windows = [sequence.window.audio for sequence in sequences]
        is_done = self._encoder.begin(windows, slots_of(sequences))
        while not is_done():
            yield

    def feed_prompts(
        self, sequences: Seq[Sequence], prompts: Seq[Seq[int]], recorder: ScoreRecorder | None
    ) -> Tensor:
        """The states of prompts, [rows, longest, n_text_state]."""
        is_captured = len(prompts) <= self._prompts.maximum and max(map(len, prompts)) <= WIDEST
        if recorder or not is_captured:
            # A row that has ended would write over a prompt longer than its text, in the same slot.
            self._decoder.invalidate()
            return super().feed_prompts(sequences, prompts, recorder)
        return self._prompts.feed(prompts, slots_of(sequences))

    def step(self, sequences: Seq[Sequence]) -> list[Chosen]:
        """Feed each row's last token and choose the next, `STEPS` times."""
        return self._decoder.steps(sequences)
