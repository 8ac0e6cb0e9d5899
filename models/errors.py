"""The error tree; `api/errors.py` maps it to HTTP, the scripts to one line and an exit status.

WhisperError
├── OptionError            a request option has a value that cannot be served
├── AudioError             the audio cannot be read
├── SandboxError           the process that read the audio was ended, not by the audio
├── ModelNotFoundError     no served checkpoint has that model id
├── ModelLoadError         a served checkpoint cannot be loaded now
├── OverloadedError        there is no room or no model yet; says when to come again
├── EmptyBufferError       a live session has nothing to commit
├── EngineStoppedError     the engine is shutting down
├── DecodingError          the engine failed at a recording
├── JobStoreError          the store of background jobs cannot be read or written
├── JobDiskError           there is no room for the recording of another background job
├── IdempotencyError       an idempotency key was used for something else
├── DeviceError            the device that was asked for is not there
└── CheckpointError        a checkpoint cannot be imported, found or trusted
    ├── UnknownCheckpointError     no such name in the catalogue or the store
    ├── CheckpointFormatError      the source is not a Whisper checkpoint we can read
    ├── ChecksumError              a file is not what its SHA-256 says
    └── DownloadError              the source could not be reached or broke off
"""

from __future__ import annotations

# Characters of a name that is not known, which may be a megabyte.
_SHOWN = 200


class WhisperError(Exception):
    """Root of the tree. The message is written for the person who made the request."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class OptionError(WhisperError):
    """A request option has a value that cannot be served; `option` names it."""

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class AudioError(WhisperError):
    """The audio cannot be read: empty, truncated, or of no known format."""


class SandboxError(WhisperError):
    """The process that read the audio was ended, and not because of the audio."""


class ModelNotFoundError(WhisperError):
    """No served checkpoint has that model id."""

    def __init__(self, model_id: str) -> None:
        shown = model_id if len(model_id) <= _SHOWN else f"{model_id[:_SHOWN]}..."
        super().__init__(f"The model '{shown}' does not exist")
        self.model_id = model_id


class ModelLoadError(WhisperError):
    """A served checkpoint cannot be loaded now; why is for whoever runs the server."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The model '{name}' could not be loaded.")


class OverloadedError(WhisperError):
    """There is no room or no model yet; `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EmptyBufferError(WhisperError):
    """There is nothing to commit: no audio, too little, or no speech."""


class EngineStoppedError(WhisperError):
    """The engine is shutting down; the request was not served."""


class DecodingError(WhisperError):
    """A step of the engine failed; the request was not served."""


class JobStoreError(WhisperError):
    """The store of background jobs cannot be read or written; why is for the log."""


class JobDiskError(WhisperError):
    """Background jobs keep as many bytes as they may."""

    def __init__(self) -> None:
        super().__init__("The server has no room for another background job. Try again later.")


class IdempotencyError(WhisperError):
    """An idempotency key comes again, with another recording or other fields."""

    def __init__(self) -> None:
        super().__init__("The idempotency key was used for another recording or other fields.")


class DeviceError(WhisperError):
    """The device that was asked for is not there."""


class CheckpointError(WhisperError):
    """A checkpoint cannot be imported, found or trusted."""


class UnknownCheckpointError(CheckpointError):
    """No such name in the catalogue or in the store."""


class CheckpointFormatError(CheckpointError):
    """The source is not a Whisper checkpoint this version can read."""


class ChecksumError(CheckpointError):
    """A file's content is not what its SHA-256 says."""


class DownloadError(CheckpointError):
    """The source could not be reached, or the transfer broke off."""
