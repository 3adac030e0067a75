"""nginx, with a place of its own: configuration, process id, logs and temporary files are in one directory."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Nginx", "Request"]

_CONFIGURATION = """
daemon off;
user {user};
worker_processes 1;
pid {home}/pid;
error_log {home}/error.log info;
events {{ worker_connections 256; }}
http {{
  log_format facts escape=json '{{"uri":"$uri","status":$status,"sent":$bytes_sent,"range":"$http_range"}}';
  access_log {home}/access.log facts;
  client_body_temp_path {home}/temporary;
  proxy_temp_path {home}/temporary;
  fastcgi_temp_path {home}/temporary;
  uwsgi_temp_path {home}/temporary;
  scgi_temp_path {home}/temporary;
  sendfile on;
  default_type application/octet-stream;
  {http}
  server {{
    listen 127.0.0.1:{port}{tls};
    root {site};
    {server}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Request:
    """A line of the access log. ``sent`` counts the bytes of the reply, its head too, that were handed to the system.

    ``range`` is what the request's header said; empty without one.
    """

    uri: str
    status: int
    sent: int
    range: str


class Nginx:
    """Serves the files below ``site`` at a loopback port; `start` and `stop`, or `kill`, as often as you like.

    ``http`` and ``server`` are directives for these blocks of its configuration; ``tls`` makes it an https server, for
    which they must name the certificates.
    """

    def __init__(self, home: Path, site: Path, *, http: str = "", server: str = "", tls: bool = False) -> None:
        # Debian has it where only root looks.
        found = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        assert found is not None, "nginx is missing: `make test-system` installs it, or says how"
        self._program = found
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None
        # A socket that is bound and never listens keeps the port from others, also while nginx is down.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._port}"
        (home / "nginx.conf").write_text(
            _CONFIGURATION.format(
                user=_user(), home=home, site=site, port=self._port, tls=" ssl" * tls, http=http, server=server
            )
        )

    @property
    def _port(self) -> int:
        return int(self._reserved.getsockname()[1])

    def start(self) -> None:
        """Start it; returns when it accepts connections."""
        where = ("-p", self._home, "-c", self._home / "nginx.conf", "-e", self._home / "error.log")
        # A session of its own, so that master and workers can be told from everybody else's and killed together.
        self._process = subprocess.Popen([self._program, *where], start_new_session=True)
        while self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
            except ConnectionRefusedError:
                time.sleep(0.01)
            else:
                return
        raise AssertionError((self._home / "error.log").read_text())

    def stop(self) -> None:
        """End it once the requests under way have been answered or their clients have gone."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(30)
            self._process = None

    def kill(self) -> None:
        """Kill master and workers at once."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def close(self) -> None:
        """Kill it if it runs, and let the port go."""
        self.kill()
        self._reserved.close()

    def requests(self) -> list[Request]:
        """Return the requests that were answered, or given up, so far; those of a killed nginx are missing."""
        lines = (self._home / "access.log").read_text().splitlines()
        return [Request(**json.loads(line)) for line in lines]


def _user() -> str:
    """Return who workers are to be: whoever we are, for the files are ours. (Only root's nginx asks.)"""
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
