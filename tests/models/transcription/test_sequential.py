"""One window after the other: what the next one is told."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace

import pytest

from models.engine.decoding.sequence import DecodingResult, Window
from models.transcription.transcriber import Transcriber
from tests.transcribing import EVERYTHING, speech, transcribe


@pytest.mark.parametrize(("temperatures", "is_told"), [((0.0, 0.4), True), ((0.0, 1.0), False)])
def test_text_of_a_window_that_failed_at_a_high_temperature_is_not_told_the_next(
    tiny: Transcriber,
    monkeypatch: pytest.MonkeyPatch,
    temperatures: tuple[float, ...],
    is_told: bool,
) -> None:
    submit, windows = tiny.engine.submit, list[Window]()

    def submitted(window: Window) -> Future[DecodingResult]:
        windows.append(window)
        return submit(window)

    monkeypatch.setattr(tiny.engine, "submit", submitted)
    options = replace(
        EVERYTHING,
        strategy="sequential",
        condition_on_previous_text=True,
        temperature=temperatures,
        compression_ratio_threshold=None,
        logprob_threshold=0.0,  # which no text reaches
    )
    transcript = transcribe(tiny, speech(4), options)

    assert {segment.temperature for segment in transcript.segments} == {0.0}
    assert len(windows) > 1
    # What is decoded again is told nothing.
    assert any(window.previous for window in windows) == is_told
