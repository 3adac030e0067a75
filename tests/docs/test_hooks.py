"""Names in tables of the built documentation."""

from __future__ import annotations

from docs.hooks import on_post_page


def test_long_names_may_break_between_their_parts() -> None:
    """In a table, in code; nowhere else, and not before or after a name."""
    assert on_post_page("<td><code>INDEX_DIR</code></td>") == "<td><code>INDEX_<wbr>DIR</code></td>"
    assert on_post_page("<td><code>/healthz</code> a_b</td>") == "<td><code>/healthz</code> a_b</td>"
    assert on_post_page("<p><code>INDEX_DIR</code></p>") == "<p><code>INDEX_DIR</code></p>"
