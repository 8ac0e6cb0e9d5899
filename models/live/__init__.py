"""Live transcription: audio that is still being spoken -> turns, and their text as it settles."""
