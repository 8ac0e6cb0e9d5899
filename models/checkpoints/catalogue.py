"""Catalogue of the official Whisper checkpoints: names, aliases, dimensions, languages."""

from __future__ import annotations

from dataclasses import dataclass

WINDOW_SECONDS = 30
# Of the log-mel, that the encoder makes one position of (its second convolution has stride 2).
FRAMES_PER_POSITION = 2

# (decoder layer, head) pairs whose attention follows the speech.
AlignmentHeads = tuple[tuple[int, int], ...]

# n_vocab tells the three vocabularies apart (openai-whisper, whisper/model.py).
N_VOCAB_ENGLISH = 51864
N_VOCAB_MULTILINGUAL = 51865
N_VOCAB_LARGE_V3 = 51866


@dataclass(frozen=True)
class Dimensions:
    """Sizes of a checkpoint, named as in openai-whisper's `ModelDimensions`."""

    n_mels: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int

    @property
    def is_multilingual(self) -> bool:
        """True if the vocabulary has language tokens."""
        return self.n_vocab >= N_VOCAB_MULTILINGUAL

    @property
    def num_languages(self) -> int:
        """Languages the vocabulary names: 99, or 100 from large-v3 on (99 unused ones in `.en`)."""
        return self.n_vocab - 51765 - int(self.is_multilingual)


@dataclass(frozen=True)
class Checkpoint:
    """One official checkpoint. `parameters` in millions, as openai-whisper's model card rounds.

    `attention_lead` is by how many seconds the alignment heads hear words before they are said;
    some hear them late. 0 where nobody has measured it (`scripts/quality/word_truth.py` does).
    """

    name: str
    dims: Dimensions
    parameters: int
    aliases: tuple[str, ...] = ()
    attention_lead: float = 0.0


def _dims(
    state: int,
    heads: int,
    layers: int,
    *,
    text_layers: int | None = None,
    n_vocab: int = N_VOCAB_MULTILINGUAL,
    n_mels: int = 80,
) -> Dimensions:
    return Dimensions(
        n_mels=n_mels,
        n_audio_ctx=1500,
        n_audio_state=state,
        n_audio_head=heads,
        n_audio_layer=layers,
        n_vocab=n_vocab,
        n_text_ctx=448,
        n_text_state=state,
        n_text_head=heads,
        n_text_layer=text_layers or layers,
    )


_V3 = {"n_vocab": N_VOCAB_LARGE_V3, "n_mels": 128}
_EN = {"n_vocab": N_VOCAB_ENGLISH}

CHECKPOINTS: tuple[Checkpoint, ...] = (
    Checkpoint("tiny", _dims(384, 6, 4), 39),
    Checkpoint("tiny.en", _dims(384, 6, 4, **_EN), 39, attention_lead=-0.08),
    Checkpoint("base", _dims(512, 8, 6), 74, attention_lead=0.06),
    Checkpoint("base.en", _dims(512, 8, 6, **_EN), 74),
    Checkpoint("small", _dims(768, 12, 12), 244),
    Checkpoint("small.en", _dims(768, 12, 12, **_EN), 244),
    Checkpoint("medium", _dims(1024, 16, 24), 769),
    Checkpoint("medium.en", _dims(1024, 16, 24, **_EN), 769),
    Checkpoint("large-v1", _dims(1280, 20, 32), 1550),
    Checkpoint("large-v2", _dims(1280, 20, 32), 1550),
    Checkpoint("large-v3", _dims(1280, 20, 32, **_V3), 1550, ("large",)),
    Checkpoint("large-v3-turbo", _dims(1280, 20, 32, text_layers=4, **_V3), 809, ("turbo",)),
)


def find_checkpoint(name: str) -> Checkpoint | None:
    """The official checkpoint with that name or alias."""
    for checkpoint in CHECKPOINTS:
        if name == checkpoint.name or name in checkpoint.aliases:
            return checkpoint
    return None


def attention_lead(dims: Dimensions) -> float:
    """`Checkpoint.attention_lead` of the official sizes, of fine-tuned checkpoints as well."""
    leads = [each.attention_lead for each in CHECKPOINTS if each.dims == dims]
    return leads[0] if leads else 0.0


def checkpoint_name(model_id: str) -> str:
    """The checkpoint a client means: `openai/whisper-large` and `turbo` name official ones.

    Every name is also reached with the prefixes `whisper-` and `openai/whisper-`; a name that is
    in no catalogue (a fine-tuned checkpoint) comes back without them. `whisper-1` remains:
    which checkpoint it means is a setting.
    """
    name = model_id.removeprefix("openai/")
    if name == "whisper-1":
        return name
    bare = name.removeprefix("whisper-")
    checkpoint = find_checkpoint(bare)
    return checkpoint.name if checkpoint else bare
