"""Growing trees on disk, asking Git about them, and writing small real PDFs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from pycontextify.ingest.crawl import CrawlRules, Found, Skipped, crawl

__all__ = ["found_in", "git", "grow", "pdf_bytes", "skipped_in"]


def grow(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files, by their path below ``root``; a path that ends with / is an empty directory."""
    root.mkdir(parents=True, exist_ok=True)
    for relative, content in files.items():
        path = root / relative
        if relative.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def found_in(root: Path, rules: CrawlRules | None = None) -> list[str]:
    """Crawl, and return what was found, in the order it was."""
    return [item.relative for item in crawl(root, rules) if isinstance(item, Found)]


def skipped_in(root: Path, rules: CrawlRules | None = None) -> dict[str, Skipped]:
    """Crawl, and return what was skipped, by path."""
    return {item.relative: item for item in crawl(root, rules) if isinstance(item, Skipped)}


def git(root: Path, *arguments: str) -> str:
    """Run Git, with nobody's own settings, and return what it prints."""
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "XDG_CONFIG_HOME": str(root),
    }
    ran = subprocess.run(["git", *arguments], cwd=root, env=environment, check=True, capture_output=True)
    return ran.stdout.decode()


def pdf_bytes(*pages: str, trailer: str = "") -> bytes:
    """Write a PDF with one line of text on each page; ``trailer`` goes into its trailer dictionary."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >>"
            f" /Contents {5 + 2 * number} 0 R >>"
        )
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out = b"%PDF-1.4\n"
    offsets: list[int] = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    head = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
    end = f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{len(out)}\n%%EOF\n"
    return out + head.encode() + end.encode()
