"""How a hydration goes: the five steps of it, and what is being fetched. Pure; from the status document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pycontextify.server.words import count, duration, size

__all__ = ["Bar", "Step", "Work", "work"]

_STEPS = (
    ("resolve", "Resolve", ("resolving",)),
    ("fetch", "Fetch", ("fetching",)),
    ("verify", "Verify", ("verifying", "extracting")),
    ("validate", "Validate", ("validating",)),
    ("activate", "Activate", ("activating",)),
)
_STEP_OF = {state: number for number, (_, _, states) in enumerate(_STEPS) for state in states}
_ADDRESS = re.compile(r"https?://[^/]+", re.IGNORECASE)
_AT_REST = ("disabled", "idle", "failed")
_MOST_BARS = 40

Progress = Literal["todo", "now", "done", "failed", "spared"]
_SAID = {"todo": "not yet", "now": "under way", "done": "done", "failed": "failed", "spared": "not needed"}


@dataclass(frozen=True, slots=True)
class Step:
    """One of the five. ``said`` is its progress in words, ``took`` how long it has taken, where that is known."""

    name: str
    label: str
    progress: Progress
    said: str
    took: str


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of something is there. ``percent`` is None while nobody knows how much it will be."""

    name: str
    percent: float | None
    amount: str
    state: str


@dataclass(frozen=True, slots=True)
class Work:
    """What hydration does now, or did last. ``mirror`` is who was asked last, where that is not the source itself."""

    active: bool
    source: str
    mirror: str
    steps: tuple[Step, ...]
    total: Bar | None
    bars: tuple[Bar, ...]
    more: str
    summary: str
    waiting: str


def work(hydration: Mapping[str, Any]) -> Work:
    """Return what the page shows of the ``hydration`` part of a status document."""
    active = hydration["state"] not in _AT_REST
    under_way = active or (hydration["state"] == "failed" and bool(hydration["assets"]))
    assets = hydration["assets"] if under_way else ()
    return Work(
        active=active,
        source=hydration["source"] or "",
        mirror=_mirror(hydration),
        steps=_steps(hydration),
        total=_total(hydration) if under_way and hydration["bytes_total"] else None,
        bars=tuple(_bar(asset) for asset in assets[:_MOST_BARS]),
        more=f"and {len(assets) - _MOST_BARS} more" if len(assets) > _MOST_BARS else "",
        summary=_summary(hydration),
        waiting=_waiting(hydration),
    )


def _mirror(hydration: Mapping[str, Any]) -> str:
    source, mirror = (_ADDRESS.match(hydration[name] or "") for name in ("source", "mirror"))
    return "" if mirror is None or (source is not None and source[0] == mirror[0]) else mirror[0]


def _steps(hydration: Mapping[str, Any]) -> tuple[Step, ...]:
    last = hydration["history"][0] if hydration["history"] else None
    phases = {} if last is None or hydration["state"] not in _AT_REST else last["phases"]
    progress = _progress(hydration, last)
    return tuple(
        Step(name, label, each, _SAID[each], _took(phases, states))
        for (name, label, states), each in zip(_STEPS, progress, strict=True)
    )


def _progress(hydration: Mapping[str, Any], last: Mapping[str, Any] | None) -> tuple[Progress, ...]:
    state = hydration["state"]
    if state == "waiting":
        state = (hydration["waiting_for"] or {}).get("state", "resolving")
    if state in _STEP_OF:
        return _up_to(_STEP_OF[state], "now")
    if last is None or state == "disabled":
        return _up_to(0, "todo")
    reached = max((_STEP_OF[phase] for phase in last["phases"] if phase in _STEP_OF), default=0)
    match last["result"]:
        case "installed":
            return _up_to(len(_STEPS) - 1, "done")
        case "unchanged":
            return _up_to(reached, "done", "spared")
        case "failed":
            return _up_to(reached, "failed")
    return _up_to(reached, "todo")


def _up_to(number: int, progress: Progress, behind: Progress = "todo") -> tuple[Progress, ...]:
    """All before are done; all after are ``behind``: mostly, yet to come."""
    before: tuple[Progress, ...] = ("done",)
    after: tuple[Progress, ...] = (behind,)
    return (*before * number, progress, *after * (len(_STEPS) - 1 - number))


def _took(phases: Mapping[str, float], states: tuple[str, ...]) -> str:
    seconds = [phases[state] for state in states if state in phases]
    return seconds_said(sum(seconds)) if seconds else ""


def seconds_said(seconds: float) -> str:
    """Return a short time to a tenth of a second, a long one in words."""
    if seconds < 0.1:
        return "< 0.1 s"
    return f"{seconds:.1f} s" if seconds < 100 else duration(seconds)


def _total(hydration: Mapping[str, Any]) -> Bar:
    done, total = hydration["bytes_done"], hydration["bytes_total"]
    words = [f"{size(done)} of {size(total)}"]
    if hydration["state"] == "fetching":
        if hydration["rate_bytes_per_second"]:
            words.append(f"{size(hydration['rate_bytes_per_second'])}/s")
        if hydration["eta_seconds"] is not None:
            words.append(f"{duration(hydration['eta_seconds'])} left")
    return Bar("All files", _percent(done, total), " · ".join(words), hydration["state"])


def _bar(asset: Mapping[str, Any]) -> Bar:
    done, whole = asset["done"], asset["size"]
    if asset["state"] == "reused":
        return Bar(asset["name"], 100.0, size(whole or 0), "already here")
    amount = size(done) if whole is None else size(whole) if done >= whole else f"{size(done)} of {size(whole)}"
    return Bar(asset["name"], 100.0 if asset["state"] == "verified" else _percent(done, whole), amount, asset["state"])


def _percent(done: int, total: int | None) -> float | None:
    return round(min(100.0, 100 * done / total), 1) if total else None


def _summary(hydration: Mapping[str, Any]) -> str:
    """Tell of an attempt that has ended well, in a sentence."""
    last = hydration["history"][0] if hydration["history"] else None
    if last is None or hydration["state"] != "idle":
        return ""
    if last["result"] == "unchanged":
        return "The source has nothing new."
    if last["result"] != "installed":
        return ""
    fetched = f"Fetched {size(last['bytes_fetched'])}"
    reused = f", {size(last['bytes_reused'])} were here already" if last["bytes_reused"] else ""
    return f"{fetched}{reused}; {count(len(hydration['assets']), 'file')}."


def _waiting(hydration: Mapping[str, Any]) -> str:
    if hydration["state"] != "waiting":
        return ""
    facts = hydration["waiting_for"] or {}
    done, total = facts.get("bytes_done"), facts.get("bytes_total")
    told = f" It has {size(done)} of {size(total)}." if isinstance(done, int) and isinstance(total, int) else ""
    return f"Another process works on the index directory; this one shows how far that is.{told}"
