"""Other Whispers as competitors, with the same options as far as they go: greedy, no fallback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.audio.load.load_audio import load
from scripts.shared.errors import BenchError
from scripts.shared.run_config import Recording, RunConfig


class FasterWhisper:
    """SYSTRAN's faster-whisper, window after window (CTranslate2)."""

    def __init__(self, setup: RunConfig) -> None:
        from faster_whisper import WhisperModel

        self.model = WhisperModel(
            _files(setup),
            device=setup.device,
            compute_type=setup.compute_type,
            cpu_threads=setup.threads,
        )
        self.description = f"{setup.compute_type}, beam 1"
        self.device = str(self.model.model.device)
        self.transcriber: Any = self.model
        self.options: dict[str, object] = {"without_timestamps": False}

    def transcribe(self, recordings: Sequence[Recording]) -> list[str]:
        """Their texts, one recording after another."""
        return [self._transcribe(recording) for recording in recordings]

    def _transcribe(self, recording: Recording) -> str:
        segments, _ = self.transcriber.transcribe(
            recording.path,
            language=recording.language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            **self.options,
        )
        return "".join(segment.text for segment in segments)


class FasterWhisperBatched(FasterWhisper):
    """faster-whisper's own batching: windows cut by voice detection, several at once.

    Without timestamps inside a window, its default: with them it loses the text that follows a
    window's last one.
    """

    def __init__(self, setup: RunConfig) -> None:
        from faster_whisper import BatchedInferencePipeline

        super().__init__(setup)
        self.transcriber = BatchedInferencePipeline(self.model)
        self.description += f", batch {setup.batch_size}, no timestamps"
        self.options = {"without_timestamps": True, "batch_size": setup.batch_size}


class OpenAIWhisper:
    """openai-whisper, over the same weights and samples, for it would need the FFmpeg program."""

    def __init__(self, setup: RunConfig) -> None:
        import torch

        from scripts.bench.openai_whisper import build_openai_whisper
        from scripts.bench.peer_files.weights import weights_of

        if setup.threads:
            torch.set_num_threads(setup.threads)
        found = "cuda" if torch.cuda.is_available() else "cpu"
        device = found if setup.device == "auto" else setup.device
        self.model = build_openai_whisper(weights_of(setup), device)
        self.fp16 = self.model.device.type == "cuda"
        self.description = "float16" if self.fp16 else "float32"
        self.device = str(self.model.device)

    def transcribe(self, recordings: Sequence[Recording]) -> list[str]:
        """Their texts, one recording after another."""
        return [self._transcribe(recording) for recording in recordings]

    def _transcribe(self, recording: Recording) -> str:
        result = self.model.transcribe(
            load(Path(recording.path)),
            language=recording.language,
            temperature=0.0,
            condition_on_previous_text=False,
            fp16=self.fp16,
        )
        return str(result["text"])


class WhisperCpp:
    """whisper.cpp through pywhispercpp, whose wheels are built for AVX2 and nothing newer."""

    def __init__(self, setup: RunConfig) -> None:
        from pywhispercpp.model import Model

        self.model = Model(
            _files(setup),
            redirect_whispercpp_logs_to=None,
            n_threads=setup.threads,
            print_progress=False,
            no_context=True,
            greedy={"best_of": 1},
            temperature=0.0,
            temperature_inc=0.0,
        )
        self.description = "float16, greedy"
        self.device = "cpu"

    def transcribe(self, recordings: Sequence[Recording]) -> list[str]:
        """Their texts, one recording after another."""
        return [self._transcribe(recording) for recording in recordings]

    def _transcribe(self, recording: Recording) -> str:
        samples = load(Path(recording.path))
        segments = self.model.transcribe(samples, language=recording.language)
        return "".join(segment.text for segment in segments)


def _files(setup: RunConfig) -> str:
    if setup.files is None:
        raise BenchError("this competitor needs its model files")
    return setup.files
