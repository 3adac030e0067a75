#!/opt/pycontextify/bin/python
"""Ask the server in this container how it is: ``pycontextify-probe /livez``, ``/readyz``, or ``serving``.

``serving`` fails until there is an index, for those who want no traffic before. The token is read from the environment.
"""

import json
import os
import sys
import urllib.request


def main(asked: str) -> int:
    """Ask, and return the exit code."""
    path = "/status" if asked == "serving" else asked
    request = urllib.request.Request(f"http://127.0.0.1:{os.environ.get('PYCONTEXTIFY_PORT', '8765')}{path}")
    token = os.environ.get("PYCONTEXTIFY_HTTP_TOKEN")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(request, timeout=4) as reply:
            told = json.load(reply)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    return 0 if asked != "serving" or told["index"]["generation"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "/livez"))
