"""Backend: the seam between the engine and what computes for it on a device.

`network/plain_backend.py` is the reference, `cuda_graphs/graph_backend.py` the one for GPUs.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from contextlib import AbstractContextManager
from typing import Protocol

import torch
from torch import Tensor

from models.engine.decoding.attempts import Attempt
from models.engine.decoding.sequence import Sequence, Window
from models.engine.decoding.token_rules import Chosen
from models.engine.decoding.vocabulary import Vocabulary
from models.engine.network.precision import Precision


class WindowEncoder(Protocol):
    """Windows into the slots of their sequences."""

    @property
    def overlaps(self) -> bool:
        """True if windows are encoded while others decode."""
        ...

    @property
    def takes_samples(self) -> bool:
        """True if windows may be samples, whose log-mel is made on the device."""
        ...

    @property
    def shares_windows(self) -> bool:
        """True if `share_window` may be called."""
        ...

    def encode(self, sequences: Seq[Sequence]) -> Iterator[None]:
        """Encode windows into their slots, step by step; the engine does other work in between.

        What has no slot any more at the end is not stored.

        Raises:
            torch.OutOfMemoryError: fewer at once may fit; so may all that compute here.
        """
        ...

    def share_window(self, sequence: Sequence, row: Sequence) -> None:
        """Copy the window of a sequence's slot to a row's."""
        ...

    def wait(self) -> None:
        """Return when an encoding may be done: called while windows are encoded, none decodes."""
        ...


class TokenDecoder(Protocol):
    """Tokens of the sequences in slots."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens of the checkpoint."""
        ...

    def prefill(self, sequences: Seq[Sequence]) -> Tensor:
        """Feed prompts and note their no-speech; the logits after each, [rows, n_vocab]."""
        ...

    def choose(self, logits: Tensor, sequences: Seq[Sequence]) -> Chosen:
        """Each row's next token and its log-probability under the rules, from [rows, n_vocab]."""
        ...

    def language_probs(self, logits: Tensor) -> dict[str, float]:
        """Probability of each language, from the logits after start-of-transcript, [n_vocab]."""
        ...

    def step(self, sequences: Seq[Sequence]) -> list[Chosen]:
        """Feed each row's last token and choose the next; on some devices several, one by one."""
        ...

    def align(self, attempts: Seq[tuple[Window, Attempt]]) -> list[tuple[float, ...]]:
        """Token times of windows that have ended, in seconds: `DecodingResult.starts`."""
        ...


class Backend(WindowEncoder, TokenDecoder, Protocol):
    """Encodes and decodes on one device; all but the properties in the engine's thread alone."""

    @property
    def device(self) -> torch.device:
        """The device that it computes on."""
        ...

    @property
    def precision(self) -> Precision:
        """The number formats that it computes in."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes of the weights, and of what it holds for all slots."""
        ...

    def computing(self) -> AbstractContextManager[None]:
        """Context of the thread that computes."""
        ...
