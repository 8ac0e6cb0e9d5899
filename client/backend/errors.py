"""Errors of the client; each says for itself what is wrong."""

from __future__ import annotations


class ClientError(Exception):
    """Something that a user is told in a line."""


class UsageError(ClientError):
    """The command cannot be carried out as it was given."""


class RefusedOptionError(UsageError):
    """The server refuses an option, and would for every recording."""


class NoServiceError(ClientError):
    """Nothing can be done: no server answers, it refuses the key, or has no such model."""


class NoEndpointError(NoServiceError):
    """The server does not have what is asked for at this address."""


class RecordingError(ClientError):
    """One recording failed; others may do."""


class NoJobError(RecordingError):
    """The server has no such job."""


class NoTranscriptError(RecordingError):
    """An answer that is no transcript, such as a proxy's page."""


class GivenUpError(RecordingError):
    """It failed on its way, and is not sent again now; later it may not fail.

    The cause is the last failure of those that were tried again.
    """


class TryAgainError(ClientError):
    """An answer that may be another one later.

    `after` is in how many seconds, as the server said; None: it did not, and failed.
    """

    def __init__(self, message: str, after: float | None = None) -> None:
        super().__init__(message)
        self.after = after


class UnreachableError(TryAgainError):
    """A connection that was not made, or lost."""


class NotConnectedError(UnreachableError):
    """A connection that was not made: nothing was sent."""
