"""openai-whisper's answers, from processes that each hear one clip after another."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

import torch
from tqdm import tqdm
from whisper.audio import N_FRAMES, N_SAMPLES, log_mel_spectrogram, pad_or_trim
from whisper.model import Whisper

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from scripts.bench.peers import OpenAIWhisper
from scripts.quality.answer import Answer, answer, asks_language, told_language
from scripts.shared.errors import BenchError
from scripts.shared.manifest import Clip
from scripts.shared.run_config import RunConfig

# Decoding one token after another keeps one core busy, so that processes gain more than threads;
# each holds the weights.
_PROCESSES = 4


def transcribe_with_reference(clips: Sequence[Clip], setup: RunConfig) -> list[Answer]:
    """The answers, greedy and with openai-whisper's own fallback, in float32.

    Raises:
        BenchError: the model is not in the store, or a process was ended from outside.
    """
    count = min(setup.threads, _PROCESSES, len(clips)) if _is_cpu(setup) else 1
    transcribe = partial(_transcribe, replace(setup, threads=setup.threads // count))
    try:
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as processes:
            answers = processes.map(transcribe, clips)
            return list(tqdm(answers, desc="openai-whisper", total=len(clips), unit="clip"))
    except BrokenProcessPool as error:
        raise BenchError("a process of openai-whisper was ended; was there memory left?") from error


def _is_cpu(setup: RunConfig) -> bool:
    return setup.device == "cpu" or not torch.cuda.is_available()


@cache
def _model(setup: RunConfig) -> Whisper:
    return OpenAIWhisper(setup).model


def _transcribe(setup: RunConfig, clip: Clip) -> Answer:
    model = _model(setup)
    samples = load(clip.path)
    torch.manual_seed(0)  # what fallback draws depends on the clip alone
    result: dict[str, Any] = model.transcribe(
        samples,
        language=told_language(clip),
        condition_on_previous_text=False,
        beam_size=None,
        fp16=False,
    )
    asked = asks_language(clip) and model.is_multilingual
    detected = _detect(model, samples) if asked else None
    return answer(clip, str(result["text"]), detected, result["segments"])


def _detect(model: Whisper, samples: Samples) -> str:
    """The language of the first 30 s, as `whisper.transcribe` detects it."""
    mel = log_mel_spectrogram(samples, model.dims.n_mels, padding=N_SAMPLES)
    window = pad_or_trim(mel, N_FRAMES).to(model.device)
    _, (probabilities,) = model.detect_language(window[None])
    return str(max(probabilities, key=probabilities.__getitem__))
