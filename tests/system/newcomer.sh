#!/bin/sh
# What somebody does who has just found the project: clone it, and follow the README word for word, with nothing in their
# environment but a home, a PATH and what pip needs. Ends with 0 when an assistant's client, started with the configuration
# that was installed, gets an answer out of an index that somebody else has published.
#
#   newcomer.sh REPOSITORY PYTHON
#
# PYTHON is the interpreter that is on their machine. Its result is on stdout: what the client was told.
set -eu
repository=$1 python=$2

home=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$home"' EXIT
cd "$home"
export HOME="$home"

step() { printf '== %s\n' "$*" >&2; }

step "git clone"
git clone --quiet "$repository" pycontextify

# Each line below is looked for in the README before it is run, with the places changed that everybody has to change. All
# are run in one shell, in the clone, as somebody would who types them.
cd pycontextify
follow() { # LINE, as it is in the README, [SED SCRIPT that puts our places in]
  grep -qF -- "$1" README.md || { echo "the README no longer says: $1" >&2; exit 1; }
  line=$(printf '%s\n' "$1" | sed "${2:-}")
  step "$line"
  eval "$line" >&2
}

follow 'python3 -m venv .venv && . .venv/bin/activate' "s|python3|$python|"
follow 'pip install .' 's/pip install/python -m pip install --quiet/'

mkdir -p ~/src/myproject
cat > ~/src/myproject/retry.py <<'END'
def should_retry(status):
    """Retries are decided here: a server that is busy is asked again, one that refuses is not."""
    return status in (429, 503)
END
follow 'pycontextify index ~/src/myproject --index-path ./index'
follow 'pycontextify search "where are retries decided" --index-path ./index'
follow 'pycontextify publish ./public --index-path ./index'

# A port that is free, and its output where we can read that.
follow 'python3 -m http.server 8000 --directory ./public' \
  "s|python3|$python -u|; s|8000|--bind 127.0.0.1 0|; s|\$| > host.log 2>\&1 \& server=\$!|"
while ! grep -q 'port [0-9]' host.log; do kill -0 "$server"; sleep 0.1; done
url="http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' host.log | head -n 1)"

# Nobody is asked where nobody can answer, so that it says --yes.
follow 'pycontextify install cursor --index-bootstrap-url https://example.com/public' \
  "s|https://example.com/public|$url|; s|\$| --yes|"

follow 'pycontextify doctor cursor'

step "an assistant"
"$python" tests/system/client.py ~/.cursor/mcp.json "where are retries decided"
