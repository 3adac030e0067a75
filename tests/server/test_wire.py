"""What is owed to a client."""

from __future__ import annotations

import anyio
import anyio.lowlevel
from mcp_types import JSONRPCError, JSONRPCNotification, JSONRPCRequest, JSONRPCResponse
from mcp_types.jsonrpc import ErrorData

from pycontextify.server.wire import Owed

REQUEST = JSONRPCRequest(jsonrpc="2.0", id=7, method="tools/call")
ANSWER = JSONRPCResponse(jsonrpc="2.0", id=7, result={})
FAILURE = JSONRPCError(jsonrpc="2.0", id=7, error=ErrorData(code=1, message="no"))
CANCEL = JSONRPCNotification(jsonrpc="2.0", method="notifications/cancelled", params={"requestId": 7})


async def settles(owed: Owed) -> bool:
    """Tell whether nothing is owed now."""
    with anyio.move_on_after(0.05) as scope:
        await owed.settle(seconds=10)
    return not scope.cancelled_caught


async def test_an_answer_an_error_and_a_cancellation_settle_a_request() -> None:
    """Each of them ends what is owed; only the first two are answers."""
    answers: list[None] = []
    for message, incoming in ((ANSWER, False), (FAILURE, False), (CANCEL, True)):
        owed = Owed(lambda: answers.append(None))
        owed.came(REQUEST)
        assert not await settles(owed)
        (owed.came if incoming else owed.went)(message)
        assert await settles(owed)
    assert len(answers) == 2


async def test_waiting_ends_with_the_last_answer() -> None:
    """Who waits learns at once."""
    owed = Owed(lambda: None)
    owed.came(REQUEST)
    owed.came(JSONRPCRequest(jsonrpc="2.0", id="7", method="tools/call"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: owed.settle(seconds=10))
        await anyio.lowlevel.checkpoint()
        owed.went(ANSWER)
        assert not await settles(owed)
        owed.went(JSONRPCResponse(jsonrpc="2.0", id="7", result={}))


async def test_waiting_has_an_end() -> None:
    """A request that nobody answers does not keep the server."""
    owed = Owed(lambda: None)
    owed.came(REQUEST)
    await owed.settle(seconds=0.01)
