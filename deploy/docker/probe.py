#!/opt/pycontextify/bin/python
"""Ask the server in this container how it is, with the token from the environment: ``pycontextify-probe /livez``."""

import os
import sys
import urllib.request


def main(path: str) -> int:
    """Ask at a path, and return the exit code."""
    request = urllib.request.Request(f"http://127.0.0.1:{os.environ.get('PYCONTEXTIFY_PORT', '8765')}{path}")
    token = os.environ.get("PYCONTEXTIFY_HTTP_TOKEN")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        direct.open(request, timeout=4).close()
    except OSError as error:
        sys.stderr.write(f"{path}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "/livez"))
