"""Which language a file is in, by its name, its extension, or its first line."""

from __future__ import annotations

import re

__all__ = ["LANGUAGES", "language_of"]

_EXTENSIONS = {
    "python": "py pyi pyw pyx",
    "markdown": "md markdown mdown mkd mdx",
    "javascript": "js mjs cjs jsx",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "json": "json jsonc json5 jsonl ndjson geojson ipynb webmanifest",
    "yaml": "yaml yml",
    "toml": "toml",
    "ini": "ini cfg conf properties editorconfig",
    "c": "c h",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ipp inl",
    "csharp": "cs csx",
    "java": "java",
    "kotlin": "kt kts",
    "scala": "scala sc sbt",
    "groovy": "groovy gradle",
    "go": "go",
    "rust": "rs",
    "swift": "swift",
    "objectivec": "m mm",
    "ruby": "rb rake gemspec",
    "php": "php",
    "perl": "pl pm",
    "lua": "lua",
    "r": "r rmd",
    "julia": "jl",
    "haskell": "hs lhs",
    "ocaml": "ml mli",
    "elixir": "ex exs",
    "erlang": "erl hrl",
    "clojure": "clj cljs cljc edn",
    "dart": "dart",
    "zig": "zig",
    "nix": "nix",
    "shell": "sh bash zsh fish ksh",
    "powershell": "ps1 psm1 psd1",
    "batch": "bat cmd",
    "sql": "sql",
    "html": "html htm xhtml",
    "css": "css",
    "scss": "scss sass",
    "less": "less",
    "vue": "vue",
    "svelte": "svelte",
    "xml": "xml xsd xsl xslt svg plist",
    "graphql": "graphql gql",
    "protobuf": "proto",
    "terraform": "tf tfvars hcl",
    "cmake": "cmake",
    "makefile": "mk mak",
    "dockerfile": "dockerfile containerfile",
    "rst": "rst rest",
    "asciidoc": "adoc asciidoc",
    "latex": "tex sty cls",
    "diff": "diff patch",
    "csv": "csv tsv",
    "pdf": "pdf",
}
_BY_EXTENSION = {extension: language for language, line in _EXTENSIONS.items() for extension in line.split()}

_BY_NAME = {
    "makefile": "makefile",
    "gnumakefile": "makefile",
    "dockerfile": "dockerfile",
    "containerfile": "dockerfile",
    "cmakelists.txt": "cmake",
    "sconstruct": "python",
    "sconscript": "python",
    "wscript": "python",
    "gemfile": "ruby",
    "rakefile": "ruby",
    "vagrantfile": "ruby",
    "podfile": "ruby",
    "jenkinsfile": "groovy",
    "build.bazel": "python",
    "go.mod": "text",
    "pkgbuild": "shell",
    ".bashrc": "shell",
    ".bash_profile": "shell",
    ".profile": "shell",
    ".zshrc": "shell",
    ".editorconfig": "ini",
    ".gitconfig": "ini",
}
_BY_INTERPRETER = {
    "python": "python",
    "pypy": "python",
    "sh": "shell",
    "bash": "shell",
    "dash": "shell",
    "zsh": "shell",
    "ksh": "shell",
    "fish": "shell",
    "node": "javascript",
    "nodejs": "javascript",
    "deno": "typescript",
    "bun": "typescript",
    "ruby": "ruby",
    "perl": "perl",
    "php": "php",
    "lua": "lua",
    "rscript": "r",
    "julia": "julia",
    "make": "makefile",
}
_SHEBANG = re.compile(r"#!\s*(?:\S*/)?(?:env\s+(?:-\S+\s+|\w+=\S*\s+)*(?:\S*/)?)?([A-Za-z]+)")

LANGUAGES = frozenset((*_BY_EXTENSION.values(), *_BY_NAME.values(), *_BY_INTERPRETER.values(), "text"))
"""Every name that `language_of` may give."""


def language_of(path: str, text: str = "") -> str:
    """Return the language of a file, lower case, one of `LANGUAGES`; ``text`` when nothing tells.

    ``path`` may be a bare name. The beginning of ``text`` is looked at for a ``#!`` line when the name tells nothing.
    """
    name = path.rpartition("/")[2].lower()
    if found := _BY_NAME.get(name):
        return found
    stem, _, extension = name.rpartition(".")
    if stem and (found := _BY_EXTENSION.get(extension)):
        return found
    if name.startswith(("dockerfile.", "containerfile.")):
        return "dockerfile"
    if name.startswith("makefile."):
        return "makefile"
    if shebang := _SHEBANG.match(text[:256]):
        return _BY_INTERPRETER.get(shebang[1].lower(), "text")
    return "text"
