"""The seats over the Model Context Protocol (streamable HTTP), by the official SDK.

The tools are those of the protocol, to the letter, and a result is one text: what a model in our loop would read. There
are no sessions; whose call it is, the address says.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lrat_bench.errors import one_error
from lrat_bench.serve.desk import Desk
from lrat_bench.serve.reply import KEY, LONG_KEY, Gone
from lrat_bench.serve.seat import Seat
from lrat_bench.serve.visit import Outcome, visit
from lrat_bench.versions import installed_versions

if TYPE_CHECKING:
    from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
    from mcp.server.lowlevel import Server
    from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

__all__ = ["McpTools"]

_CONNECT = "initialize"
_WITHOUT_CONNECTIONS = "2026-07-28"
"""Since this protocol, each request stands alone."""


class McpTools:
    """An endpoint for all seats of a desk.

    Args:
        desk: whose seats are served.
    """

    def __init__(self, desk: Desk) -> None:
        from mcp.server.lowlevel import Server

        self._desk = desk
        self._server: Server[Any] = Server(
            "lrat-bench",
            version=installed_versions(("lrat-bench",)).get("lrat-bench", ""),
            on_list_tools=self._list,
            on_call_tool=self._call,
            # Arguments are read by the session, as those of any agent are.
            get_tool_input_schema=lambda _: None,
        )
        self._server.middleware.append(self._note_connection)

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """One request to a seat, which the path parameter `token` names.

        What fails within the SDK ends this request alone: those of one manager share a group of tasks, which ends
        together, and the server with it.
        """
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        manager = StreamableHTTPSessionManager(app=self._server, json_response=True, stateless=True)
        with one_error():
            async with manager.run():
                await manager.handle_request(scope, receive, send)

    async def _note_connection(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        seat = self._seat(ctx)
        if ctx.method == _CONNECT and isinstance(seat, Seat):
            seat.epoch += 1
        return await call_next(ctx)

    async def _list(
        self,
        context: ServerRequestContext[Any, Any],
        params: PaginatedRequestParams | None,  # noqa: ARG002
    ) -> ListToolsResult:
        from mcp_types import ListToolsResult, Tool

        seat = self._seat(context)
        tools = seat.tools if isinstance(seat, Seat) else ()
        return ListToolsResult(
            tools=[Tool(name=one.name, description=one.description, input_schema=one.parameters) for one in tools]
        )

    async def _call(self, context: ServerRequestContext[Any, Any], params: CallToolRequestParams) -> CallToolResult:
        from mcp_types import CallToolResult, TextContent

        seat = self._seat(context)
        arguments = params.arguments or {}
        key = _key(context, seat, params.name, arguments) if isinstance(seat, Seat) else None
        if len(_own_key(context) or "") > KEY:
            outcome = Outcome(400, LONG_KEY)
        else:
            outcome = await visit(self._desk, seat, params.name, arguments, key=key)
        text = outcome.text if outcome.replied else json.dumps({"error": outcome.text}, ensure_ascii=False)
        return CallToolResult(content=[TextContent(text=text)], is_error=outcome.status != 200)

    def _seat(self, context: ServerRequestContext[Any, Any]) -> Seat | Gone:
        request = context.request
        found = None if request is None else self._desk.find(request.path_params["token"])
        return found or Gone("its address is not known")


def _key(context: ServerRequestContext[Any, Any], seat: Seat, name: str, arguments: dict[str, Any]) -> str | None:
    """What tells a delivery that comes again: the client's own key, else the id of the request."""
    if given := _own_key(context):
        return f"key:{given}"
    if context.request_id is None:
        return None
    protocol = "" if context.request is None else context.request.headers.get("mcp-protocol-version", "")
    return seat.mcp_key(context.request_id, name, arguments, connected=protocol < _WITHOUT_CONNECTIONS)


def _own_key(context: ServerRequestContext[Any, Any]) -> str | None:
    return None if context.request is None else context.request.headers.get("idempotency-key")
