"""A request whose body is checked while an app reads it."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ApiError, ErrorResponse

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
    started = False

    async def checked_receive() -> Message:
        message = await receive()
        try:
            check(message)
        except ApiError as error:
            raise _Refused(error) from None
        return message

    async def watched_send(message: Message) -> None:
        nonlocal started
        started = True
        await send(message)

    try:
        await app(scope, checked_receive, watched_send)
    except _Refused as refused:
        if not started:
            await ErrorResponse(refused.error)(scope, receive, send)
