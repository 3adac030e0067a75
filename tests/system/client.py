"""A small MCP client, as an editor has one: ``client.py CONFIGURATION QUERY``. It needs nothing but Python.

It starts the first server of the configuration, waits until that has its index, searches, and prints the answer.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

_PATIENCE_SECONDS = 90


class Client:
    """Speaks JSON-RPC over the pipes of a server; one request at a time."""

    def __init__(self, requests: IO[str], answers: IO[str]) -> None:
        self._requests = requests
        self._answers = answers
        self._number = 0

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a request and return its result; what comes in between is for others."""
        self._number += 1
        self.tell(method, id=self._number, params=parameters)
        for line in self._answers:
            answer = json.loads(line)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise SystemExit(f"{method}: {answer['error']}")
                return answer["result"]
        raise SystemExit(f"{method}: the server has ended")

    def tell(self, method: str, **more: Any) -> None:
        """Send a message."""
        self._requests.write(json.dumps({"jsonrpc": "2.0", "method": method, **more}) + "\n")
        self._requests.flush()

    def call(self, tool: str, **arguments: Any) -> Any:
        """Call a tool, and return its structured content."""
        return self.ask("tools/call", name=tool, arguments=arguments)["structuredContent"]


def main(configuration: Path, query: str) -> int:
    """Do what an editor does, and return the exit code."""
    servers = json.loads(configuration.read_text(encoding="utf-8"))["mcpServers"]
    server = next(iter(servers.values()))
    command = [server["command"], *server["args"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        client = Client(process.stdin, process.stdout)
        about = {"name": "newcomer", "version": "1"}
        client.ask("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
        client.tell("notifications/initialized")
        offered = {tool["name"] for tool in client.ask("tools/list")["tools"]}
        found = searched(client, query)
        process.stdin.close()
    sys.stdout.write(json.dumps({"tools": sorted(offered), **found}, indent=2) + "\n")
    return 0 if found["results"] else 1


def searched(client: Client, query: str) -> Any:
    """Search, again while the index is warming up, as its answer says."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        found = client.call("search", query=query)
        if found["index_state"] != "warming" or time.monotonic() > until:
            return found
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
