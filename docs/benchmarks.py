"""The tables of the benchmarks, from benchmarks/results/full.json: Markdown, for the README and for the guide's page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log10
from pathlib import Path

from benchmarks.figure import Figure, Growth
from benchmarks.results import RESULTS, Results
from docs.bounds import BOUNDS

__all__ = ["FULL", "PICTURES", "readme_part", "sections"]

FULL = RESULTS / "full.json"
PICTURES = Path(__file__).resolve().parent / "images"
_NOTHING = "Nothing has been measured yet: `make bench` writes it here."
_TELLING = (
    "hydrate-layout",
    "hydrate-tar-zst",
    "start",
    "search-hybrid",
    "memory",
    "peer-upstream",
    "peer-qdrant-restore",
)


def readme_part(results: Results | None) -> str:
    """Return the few lines that tell most, with date and machine."""
    if results is None:
        return _NOTHING
    told = [results.by_name[name] for name in _TELLING if name in results.by_name]
    rows = [f"| {figure.what} | {figure.against} | {_ratio(figure.ratio)}{_wished(figure)} |" for figure in told]
    return "\n".join(
        (
            "| what | against | ratio |",
            "| --- | --- | --- |",
            *rows,
            "",
            f"Ours as a multiple of theirs, medians of turns in one run; {results.date}, {_in_short(results)}.",
            "All of it, with spread, growth and what bounds it: [benchmarks](docs/guide/benchmarks.md); `make bench` measures it anew.",
        )
    )


def sections(results: Results | None) -> dict[str, str]:
    """Return what stands between the marks of the guide's page, by their names."""
    names = ("machine", "goals", "short", "peers", "growth")
    if results is None:
        return dict.fromkeys(names, _NOTHING)
    ours = [figure for figure in results.figures if not figure.is_peer]
    peers = [figure for figure in results.figures if figure.is_peer]
    return {
        "machine": _machine(results),
        "goals": "\n".join((*_table(ours, goals=True), *_picture("bench-goals", "the ratios with their goals"))),
        "short": "\n".join(_short(ours)),
        "peers": "\n".join((*_table(peers, goals=False), *_picture("bench-peers", "the ratios to peers"))),
        "growth": "\n".join(_growth(results.growth)),
    }


def _machine(results: Results) -> str:
    minutes = sum(results.took.values()) / 60
    facts = "; ".join(f"{what} {value}" for what, value in results.machine.items())
    return f"Measured on {results.date}, in {minutes:.0f} minutes: {facts}."


def _in_short(results: Results) -> str:
    machine = results.machine
    return f"{machine['processor']}, {machine['cores']} cores, {machine['memory']}"


def _table(figures: Iterable[Figure], *, goals: bool) -> Iterator[str]:
    yield "| what | against | ours | theirs | ratio | from … to |" + goals * " to reach |"
    yield "| --- | --- | --- | --- | --- | --- |" + goals * " --- |"
    for figure in figures:
        low, high = map(_ratio, figure.spread)
        sides = f"{quantity(figure.ours, figure.unit)} | {quantity(figure.theirs, figure.unit)}"
        row = f"| {figure.what}{_facts(figure)} | {figure.against} | {sides} | **{_ratio(figure.ratio)}** | {low} … {high} |"
        yield row + goals * f" {_goal(figure)} |"


def _facts(figure: Figure) -> str:
    told = "; ".join(f"{what}: {quantity(value, '')}" for what, value in figure.facts.items())
    return f" ({told})" if told else ""


def _goal(figure: Figure) -> str:
    if figure.met is None:
        return ""
    bound = f"{'≥' if figure.more else '≤'} {figure.goal:.2f}" if figure.most is None else _most(figure)
    return f"{bound}: {'yes' if figure.met else '**no**'}"


def _most(figure: Figure) -> str:
    return f"ours ≤ {quantity(figure.most or 0, figure.unit)}"


def _wished(figure: Figure) -> str:
    return f" (to reach: {_goal(figure).partition(':')[0]})" if figure.met is not None else ""


def _short(figures: Iterable[Figure]) -> Iterator[str]:
    missed = [figure for figure in figures if figure.met is False]
    if not missed:
        yield "Nothing does."
    for figure in missed:
        reached = _ratio(figure.ratio) if figure.most is None else quantity(figure.ours, figure.unit)
        wished = f"where {_goal(figure).partition(':')[0]} was to be reached"
        far = f" ({figure.missed_by:.2g} times that)" if figure.missed_by else ""
        yield f"- **{figure.what}**: {reached}, {wished}{far}. {BOUNDS.get(figure.name, '')}".rstrip()


def _growth(growth: Iterable[Growth]) -> Iterator[str]:
    every = list(growth)
    sizes = every[0].sizes if every else ()
    yield "| what | " + "".join(f"{size:,} | " for size in sizes) + "exponent |"
    yield "| --- | " + "--- | " * len(sizes) + "--- |"
    for each in every:
        yield (
            f"| {each.what} | "
            + "".join(f"{quantity(v, each.unit)} | " for v in each.values)
            + f"{each.exponent:.2f} |"
        )
    for each in every:
        yield from _picture(f"bench-{each.name}", f"{each.what}, by chunks")


def _picture(name: str, about: str) -> Iterator[str]:
    """Show a picture, where it was drawn."""
    if (PICTURES / f"{name}.svg").exists():
        yield ""
        yield f"![{about[0].upper()}{about[1:]}](../images/{name}.svg)"


def _ratio(value: float) -> str:
    return f"{value:.2f}" if value >= 0.1 or value == 0 else f"{value:.1g}" if value >= 1e-6 else "0"


def quantity(value: float, unit: str) -> str:
    """Tell a number with its unit, to three digits; bytes in the multiple that suits them."""
    if unit == "B":
        step = max(0, min(3, int(log10(value) / 3))) if value >= 1 else 0
        value, unit = value / 1000**step, ("B", "kB", "MB", "GB")[step]
    if value == int(value) or value >= 1000:
        return f"{value:,.0f} {unit}".rstrip()
    return f"{value:.{max(0, 2 - int(log10(value)) if value >= 1 else 3)}f} {unit}".rstrip()
