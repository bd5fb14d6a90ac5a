"""``HEAD``: the answer to ``GET`` without its body, wherever there is one to ``GET``."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class AnswersHead:
    """Has a ``HEAD`` answered as if it were a ``GET``, and holds the body back."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_no_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = dict(message) | {"body": b""}
            await send(message)

        # In place: what the router writes into the scope is read by the layers outside.
        scope["method"] = "GET"
        try:
            await self.app(scope, receive, send_no_body)
        finally:
            scope["method"] = "HEAD"
