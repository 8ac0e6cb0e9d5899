"""Prometheus meters of live sessions and their turns."""

from __future__ import annotations

from api.telemetry.meters import MODEL, Meters

_FINALS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1, 1.5, 2, 3, 5, 10, 30)
_LAGS = (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10, 20, 60)


class RealtimeMeters:
    """Live sessions: how many are open, what they hear, and how soon they have their text."""

    def __init__(self, make: Meters) -> None:
        self.sessions = make.gauge("whisper_realtime_sessions", "Live sessions that are open.")
        self.audio = make.counter(
            "whisper_realtime_audio_seconds_total", "Audio that live sessions were sent.", MODEL
        )
        self.turns = make.counter(
            "whisper_realtime_turns_total",
            "Turns that are over: completed or failed.",
            ("model", "outcome"),
        )
        self.stages = make.counter(
            "whisper_realtime_stage_seconds_total",
            "Time that turns which are over were in a stage of the engine.",
            ("model", "stage"),
        )
        self.final = make.histogram(
            "whisper_realtime_final_seconds",
            "Time from the end of a turn to its transcript.",
            MODEL,
            buckets=_FINALS,
        )
        self.word_lag = make.histogram(
            "whisper_realtime_word_lag_seconds",
            "Audio between the end of a word and the time at which it was settled.",
            MODEL,
            buckets=_LAGS,
        )
