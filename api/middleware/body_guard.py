"""Body guard: a check of each message of a request's body while an app reads it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError
from api.response_state import ResponseState

Check = Callable[[Message], None]


class _Refused(BaseException):
    """Ends an app in the middle of the body. No `Exception`, which the app would log and answer."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error)
        self.error = error


async def pass_checked(
    app: ASGIApp, scope: Scope, receive: Receive, send: Send, check: Check
) -> None:
    """Pass a request on, each message that is received to `check` first.

    When `check` raises an `ApiError`, that is the answer, unless the app's own has begun.
    """
    answer = ResponseState(send)

    async def checked_receive() -> Message:
        message = await receive()
        try:
            check(message)
        except ApiError as error:
            raise _Refused(error) from None
        return message

    try:
        await app(scope, checked_receive, answer.send)
    except _Refused as refused:
        await answer.refuse(refused.error, scope, receive)
