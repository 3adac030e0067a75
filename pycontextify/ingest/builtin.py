"""What is left out of every tree unless its ``.pycontextifyignore`` brings it back."""

from __future__ import annotations

__all__ = ["BUILTIN_RULES", "CACHE_TAG", "MARKERS", "VCS_NAMES"]

VCS_NAMES = frozenset({".git", ".hg", ".svn", ".bzr", "CVS", "_darcs", ".jj"})
"""The stores of version control. Never entered, whatever the rules say."""

MARKERS = {
    "pyvenv.cfg": "a virtual environment",
    "oci-layout": "an index or image layout",
}
"""A directory below the root that holds one of these files is left out; the value says what it is."""

CACHE_TAG = ("CACHEDIR.TAG", b"Signature: 8a477f597d28d172789f06886806bc55")
"""A directory with this file, beginning so, is a cache (https://bford.info/cachedir/): build output, tool caches."""

BUILTIN_RULES = """
# Installed packages
node_modules/
bower_components/
site-packages/
.eggs/
*.egg-info/
*.dist-info/

# Caches and build state of tools
__pycache__/
.cache/
.mypy_cache/
.pytest_cache/
.ruff_cache/
.hypothesis/
.tox/
.nox/
.ipynb_checkpoints/
.gradle/
.terraform/
.next/
.nuxt/
.svelte-kit/
.parcel-cache/
.turbo/
.yarn/
.direnv/
.idea/
.vs/
.DS_Store
.pycontextify/

# Written by machines, for machines: thousands of hashes that no question is about
package-lock.json
npm-shrinkwrap.json
yarn.lock
pnpm-lock.yaml
bun.lock
poetry.lock
uv.lock
pdm.lock
Pipfile.lock
Cargo.lock
composer.lock
Gemfile.lock
go.sum
flake.lock
*.min.js
*.min.css
*.js.map
*.css.map

# Secrets: an index is made to be published
.env
.env.local
.env.*.local
.env.dev
.env.development
.env.prod
.env.production
.env.staging
.env.test
*.pem
*.key
*.p12
*.pfx
*.kdbx
id_rsa
id_dsa
id_ecdsa
id_ed25519
.netrc
.pypirc
.npmrc
""".splitlines()
"""In gitignore syntax."""
