"""Guards: refusal of a request by its scope before, or by its body while it is read."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.error_response import ErrorResponse
from api.errors import ApiError
from api.response_state import ResponseState

Check = Callable[[Message], None]


class Guard:
    """Middleware: an error for requests that have a `refusal`, WebSockets before they are open."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def refusal(self, scope: Scope) -> ApiError | None:
        """The error to answer with; None lets the request pass."""
        raise NotImplementedError

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        error = self.refusal(scope)
        if error is None:
            await self.app(scope, receive, send)
        else:
            await ErrorResponse(error)(scope, receive, send)


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
