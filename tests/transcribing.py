"""Recordings for the tests of the strategies, and how they are transcribed."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import av
import numpy as np

from models.audio.load.load_audio import load
from models.audio.samples import Samples
from models.options import TranscribeOptions
from models.text.transcript import Transcript
from models.transcription.transcriber import Transcriber
from tests.speech_clips import jfk

PARALLEL = TranscribeOptions(strategy="parallel", temperature=(0.0,))
# A random checkpoint's scores are those of silence: nothing is to be dropped for them.
EVERYTHING = replace(PARALLEL, no_speech_threshold=None, drop_logprob_threshold=None, language="en")
SILENCE = np.zeros(16_000 * 8, np.float32)


def speech(times: int) -> Samples:
    """The 11 s clip so many times, far enough apart that each is a window."""
    return np.concatenate([load(jfk().path), SILENCE] * times)


def transcribe(
    transcriber: Transcriber, samples: Samples, options: TranscribeOptions
) -> Transcript:
    return asyncio.run(transcriber.transcribe_samples(samples, options))


def recording(seconds: int) -> io.BytesIO:
    """A FLAC file of the 11 s clip, over and over."""
    samples = np.resize(load(jfk().path), seconds * 16_000)
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as output:
        stream = output.add_stream("flac", rate=16_000, layout="mono")
        assert isinstance(stream, av.AudioStream)
        for start in range(0, len(samples), 4096):
            piece = (samples[None, start : start + 4096] * 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(piece, format="s16", layout="mono")
            frame.rate = 16_000
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return file
