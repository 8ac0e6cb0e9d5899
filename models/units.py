"""Units of audio, of Whisper's timestamps and of memory (light: imports nothing)."""

from __future__ import annotations

# Samples in a second, of all sound behind `models/audio/load`.
SAMPLE_RATE = 16_000
# Samples that the encoder sees at once.
WINDOW_SAMPLES = 30 * SAMPLE_RATE
# Samples in a frame of log-mel, and in one of voice activity detection: 10 and 32 ms.
HOP = 160
VAD_FRAME = 512

# Frames of log-mel in a second, and in the unit of timestamp tokens.
FRAMES_PER_SECOND = SAMPLE_RATE // HOP
FRAMES_PER_TIMESTAMP = 2
SECONDS_PER_TIMESTAMP = FRAMES_PER_TIMESTAMP / FRAMES_PER_SECOND

# Bytes in a mebibyte.
MIB = 1024 * 1024
