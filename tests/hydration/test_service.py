"""When hydration happens: single flight, retries, refreshes, requests."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import anyio
import anyio.lowlevel
import pytest

from pycontextify.errors import (
    NotReadyError,
    PermanentFetchError,
    PyContextifyError,
    StoreError,
    TransientFetchError,
    VerifyError,
)
from pycontextify.hydration.attempt import Outcome
from pycontextify.hydration.board import StatusBoard
from pycontextify.hydration.service import HydrationService, Schedule
from pycontextify.snapshot.digest import digest_of

GENERATION = digest_of(b"generation")


class Hydrator:
    """Hydrates on command: each run waits until the test lets it end, one way or the other."""

    def __init__(self) -> None:
        self.runs = 0
        self.started = anyio.Event()
        self._ended = anyio.Event()
        self._error: Exception | None = None

    async def run(self) -> Outcome:
        """One hydration."""
        self.runs += 1
        self._ended = anyio.Event()
        self.started.set()
        await self._ended.wait()
        self.started = anyio.Event()
        if self._error is not None:
            raise self._error
        return Outcome("installed", GENERATION)

    def end(self, error: Exception | None = None) -> None:
        """Let the running hydration end."""
        self._error = error
        self._ended.set()


class Bench:
    """A running service with the hydrator it runs."""

    def __init__(self, schedule: Schedule, *, needed: bool) -> None:
        self.hydrator = Hydrator()

        self.needed = needed

        async def is_needed() -> bool:
            return self.needed

        self.service = HydrationService(
            self.hydrator,
            StatusBoard("https://host/index", now=lambda: datetime.now(UTC), monotonic=time.monotonic),
            schedule,
            needed=is_needed,
            random=lambda: 0.5,
        )

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the service work until something holds."""
        with anyio.fail_after(5):
            while not condition():
                await anyio.sleep(0.001)

    def running(self, run: int) -> bool:
        """Tell whether run number ``run`` is going on."""
        return self.hydrator.runs == run and self.hydrator.started.is_set()

    async def started(self) -> None:
        """Wait until an attempt is running."""
        with anyio.fail_after(5):
            await self.hydrator.started.wait()


@asynccontextmanager
async def running(schedule: Schedule | None = None, *, needed: bool = True) -> AsyncIterator[Bench]:
    """Run a service for the length of a block."""
    bench = Bench(schedule or Schedule(), needed=needed)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.service.run)
        yield bench
        tasks.cancel_scope.cancel()


async def test_an_empty_index_is_hydrated_at_the_start() -> None:
    """What is needed happens by itself, with trigger startup."""
    async with running() as bench:
        await bench.started()
        assert bench.service.status.trigger == "startup"
        bench.hydrator.end()
        await bench.until(lambda: bench.service.status.state == "idle")
        assert bench.service.status.history[0].result == "installed"


async def test_what_is_not_needed_waits_to_be_asked() -> None:
    """With a local index and mode if-missing nothing runs until rehydrate."""
    async with running(needed=False) as bench:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        assert bench.hydrator.runs == 0
        await bench.service.rehydrate(wait=False)
        await bench.started()
        assert bench.service.status.trigger == "manual"


async def test_a_second_request_joins_the_running_attempt() -> None:
    """Single flight: everybody who asks meanwhile gets the end of the one attempt."""
    ended: list[str] = []
    async with running() as bench:
        await bench.started()

        async def ask() -> None:
            status = await bench.service.rehydrate(wait=True)
            ended.append(status.state)

        async with anyio.create_task_group() as askers:
            for _ in range(3):
                askers.start_soon(ask)
            await anyio.lowlevel.checkpoint()
            bench.hydrator.end()
        assert ended == ["idle"] * 3
        assert bench.hydrator.runs == 1


async def test_a_failure_is_tried_again_by_itself() -> None:
    """After a passing failure the service comes back; the first wait is the schedule's first."""
    async with running(Schedule(first_retry=0.01)) as bench:
        await bench.started()
        bench.hydrator.end(TransientFetchError("no answer", code="connect_failed"))
        await bench.until(lambda: bench.hydrator.runs == 2)
        assert bench.service.status.trigger == "startup"
        assert bench.service.status.last_error is not None
        assert bench.service.status.last_error.code == "connect_failed"


async def test_a_request_cuts_the_wait_short() -> None:
    """Somebody who asks need not wait for the schedule."""
    async with running(Schedule(first_retry=10_000, longest_retry=10_000)) as bench:
        await bench.started()
        bench.hydrator.end(TransientFetchError("no answer"))
        await bench.until(lambda: bench.service.status.state == "failed")
        await bench.service.rehydrate(wait=False)
        await bench.until(lambda: bench.hydrator.runs == 2)
        assert bench.service.status.trigger == "manual"


async def test_following_looks_again_and_again() -> None:
    """With a refresh the source is asked again after every success, with trigger refresh."""
    async with running(Schedule(refresh=0.01)) as bench:
        for run in (1, 2, 3):
            await bench.until(partial(bench.running, run))
            bench.hydrator.end()
        await bench.until(lambda: len(bench.service.status.history) == 3)
        assert [record.trigger for record in bench.service.status.history] == ["refresh", "refresh", "startup"]
        assert bench.service.status.next_check_at is not None


async def test_a_fault_of_ours_does_not_end_the_service(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception is logged with its traceback, shown as internal_error, and hydration goes on."""
    async with running(Schedule(first_retry=0.01, longest_retry=0.01)) as bench:
        await bench.started()
        bench.hydrator.end(RuntimeError("surprise"))
        await bench.until(lambda: bench.hydrator.runs == 2)
        assert bench.service.status.last_error is not None
        assert bench.service.status.last_error.code == "internal_error"
    assert "surprise" in caplog.text


async def test_a_failure_is_logged_once_as_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """One WARNING says why and when the next try comes."""
    async with running() as bench:
        await bench.started()
        bench.hydrator.end(VerifyError("not what was pinned", code="digest_mismatch", asset="https://host/x"))
        await bench.until(lambda: bench.service.status.state == "failed")
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [
        "hydration failed [digest_mismatch] https://host/x: not what was pinned; trying again in 900 s",
    ]


async def test_cancelling_in_the_middle_is_recorded() -> None:
    """Stopping the server ends the attempt and frees those who wait."""
    async with running() as bench:
        await bench.started()
    assert bench.service.status.state == "idle"
    assert bench.service.status.history[0].result == "cancelled"


async def test_without_a_source_there_is_nothing_to_run() -> None:
    """The service ends at once, and rehydrate says what to configure."""

    async def never() -> bool:
        raise AssertionError

    board = StatusBoard(None, now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    service = HydrationService(None, board, Schedule(), needed=never)
    await service.run()
    with pytest.raises(NotReadyError) as caught:
        await service.rehydrate(wait=True)
    assert caught.value.code == "no_source"
    assert "PYCONTEXTIFY_INDEX_BOOTSTRAP_URL" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "failures", "expected"),
    [
        (TransientFetchError("x"), 1, 30.0),
        (TransientFetchError("x"), 2, 60.0),
        (TransientFetchError("x"), 50, 900.0),
        (PermanentFetchError("x", code="tls_untrusted"), 1, 30.0),
        (PermanentFetchError("x", code="http_404"), 1, 900.0),
        (PermanentFetchError("x", code="ref_missing"), 1, 900.0),
        (VerifyError("x"), 1, 900.0),
    ],
)
def test_how_long_to_wait_after_a_failure(error: PyContextifyError, failures: int, expected: float) -> None:
    """Passing failures double the wait up to its bound; what won't get better soon waits the longest at once."""
    assert Schedule().after_failure(failures, error, lambda: 0.5) == pytest.approx(expected)


def test_waits_are_jittered_by_a_fifth() -> None:
    """Replicas that failed together do not come back together."""
    schedule = Schedule(refresh=100.0)
    assert schedule.after_success(lambda: 0.0) == pytest.approx(80.0)
    assert schedule.after_success(lambda: 0.999) == pytest.approx(120.0, abs=0.1)
    assert Schedule().after_success(lambda: 0.0) is None


async def test_a_retry_that_is_no_longer_needed_does_not_happen() -> None:
    """An index came by other ways while the source was down: it is left alone, and nothing is due any more."""
    async with running(Schedule(first_retry=0.05)) as bench:
        await bench.started()
        bench.hydrator.end(TransientFetchError("down"))
        await bench.until(lambda: bench.service.status.state == "failed")
        assert bench.service.status.next_check_at is not None
        bench.needed = False
        await bench.until(lambda: bench.service.status.state == "idle")
        assert bench.service.status.next_check_at is None
        assert bench.hydrator.runs == 1


async def test_a_failed_request_is_not_repeated_where_there_is_an_index() -> None:
    """Somebody asked once, in mode if-missing: what they get is the error, not a download later on."""
    async with running(needed=False) as bench:
        await bench.service.rehydrate(wait=False)
        await bench.started()
        bench.hydrator.end(TransientFetchError("down"))
        await bench.until(lambda: bench.service.status.state == "failed")
        status = bench.service.status
        assert status.last_error is not None
        assert (status.last_error.retry_at, status.next_check_at) == (None, None)


async def test_what_cannot_be_told_to_be_there_is_needed() -> None:
    """A damaged index directory does not end the service: what is fetched may mend it."""

    async def unreadable() -> bool:
        raise StoreError("damaged")

    hydrator = Hydrator()
    board = StatusBoard("https://host/index", now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    service = HydrationService(hydrator, board, Schedule(first_retry=0.01), needed=unreadable)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(service.run)
        for _ in range(2):
            with anyio.fail_after(5):
                await hydrator.started.wait()
            runs = hydrator.runs
            hydrator.end(TransientFetchError("down"))
            while hydrator.runs == runs:
                await anyio.sleep(0.001)
        tasks.cancel_scope.cancel()


def test_what_the_server_asks_for_is_waited_out() -> None:
    """Retry-After counts between attempts too, up to the longest wait."""
    schedule = Schedule(first_retry=30.0, longest_retry=900.0)
    busy = TransientFetchError("busy", retry_after=120.0)
    assert schedule.after_failure(1, busy, lambda: 0.5) == 150.0
    assert schedule.after_failure(1, TransientFetchError("busy", retry_after=1e9), lambda: 0.5) == 930.0


async def test_until_it_is_known_whether_to_hydrate_it_is_deciding() -> None:
    """Idle means two things at the start, and who asks then must not be told that there is nothing to come."""
    known = anyio.Event()
    bench = Bench(Schedule(), needed=True)

    async def needed() -> bool:
        await known.wait()
        return True

    board = StatusBoard("https://host/index", now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    service = HydrationService(bench.hydrator, board, Schedule(), needed=needed, random=lambda: 0.5)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(service.run)
        await anyio.wait_all_tasks_blocked()
        assert (service.status.state, service.deciding) == ("idle", True)
        known.set()
        await bench.started()
        assert (service.status.active, service.deciding) == (True, False)
        tasks.cancel_scope.cancel()


async def test_once_it_is_known_that_nothing_is_needed_it_is_decided() -> None:
    """Then idle means idle; so it does where there is no source."""
    async with running(needed=False) as bench:
        await bench.until(lambda: not bench.service.deciding)
        assert bench.service.status.state == "idle"
    board = StatusBoard(None, now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    assert not HydrationService(None, board, Schedule(), needed=_never).deciding


async def _never() -> bool:
    return False
