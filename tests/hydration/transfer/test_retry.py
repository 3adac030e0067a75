"""Trying again: the policy, the loop, and the table of what is tried again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from aioresponses import aioresponses
from hypothesis import given
from hypothesis import strategies as st

from pycontextify.errors import FetchError, PermanentFetchError, TransientFetchError
from pycontextify.hydration.transfer.client import Client
from pycontextify.hydration.transfer.fetch import Fetcher
from pycontextify.hydration.transfer.retry import (
    RetryNote,
    RetryPolicy,
    is_transient_status,
    parse_retry_after,
    retry,
)
from pycontextify.hydration.workers import Workers
from tests.fakes.clock import FakeClock
from tests.fakes.replies import Reply
from tests.fakes.wire import content, wire_of

URL = "http://host.example/index.json"
NOON = 1_800_000_000.0  # Friday, 15 January 2027, 08:00:00 GMT


@dataclass
class Attempts:
    """An operation that fails as told, then succeeds; with the loop's other parts."""

    failures: list[FetchError]
    clock: FakeClock = field(default_factory=FakeClock)
    notes: list[RetryNote] = field(default_factory=list)
    made: int = 0

    async def __call__(self) -> str:
        self.made += 1
        if self.failures:
            raise self.failures.pop(0)
        return "result"

    async def run(
        self,
        policy: RetryPolicy,
        random: Callable[[], float] = lambda: 0.5,
        progress: Callable[[], int] = lambda: 0,
    ) -> str:
        """Run the loop."""
        return await retry(
            policy,
            self,
            sleep=self.clock.sleep,
            random=random,
            on_retry=self.notes.append,
            progress=progress,
            monotonic=self.clock,
        )


def transient(retry_after: float | None = None) -> TransientFetchError:
    """A failure worth another try."""
    return TransientFetchError("not now", retry_after=retry_after)


async def test_success_is_returned_at_once() -> None:
    """Nothing sleeps, nobody is told."""
    attempts = Attempts([])
    assert await attempts.run(RetryPolicy()) == "result"
    assert (attempts.made, attempts.clock.slept, attempts.notes) == (1, [], [])


async def test_waits_double_and_are_jittered() -> None:
    """The n-th wait is a random part of base doubled n - 1 times, and each failure is told of before it."""
    attempts = Attempts([transient(), transient(), transient()])
    assert await attempts.run(RetryPolicy(attempts=4, base=1.0)) == "result"
    assert attempts.clock.slept == [0.5, 1.0, 2.0]
    assert [(note.attempt, note.attempts, note.delay) for note in attempts.notes] == [
        (1, 4, 0.5),
        (2, 4, 1.0),
        (3, 4, 2.0),
    ]


async def test_the_last_failure_is_raised() -> None:
    """After the attempts are spent there is no further wait."""
    last = transient()
    attempts = Attempts([transient(), transient(), last])
    with pytest.raises(TransientFetchError) as caught:
        await attempts.run(RetryPolicy(attempts=3))
    assert caught.value is last
    assert (attempts.made, len(attempts.clock.slept)) == (3, 2)


async def test_permanent_failures_are_raised_at_once() -> None:
    """Only TransientFetchError is tried again."""
    attempts = Attempts([PermanentFetchError("no")])
    with pytest.raises(PermanentFetchError):
        await attempts.run(RetryPolicy())
    assert (attempts.made, attempts.clock.slept) == (1, [])


async def test_what_the_server_asks_for_is_waited_out() -> None:
    """Retry-After comes first, jitter on top; a cap bounds what may be asked."""
    attempts = Attempts([transient(7.0), transient(9999.0)])
    await attempts.run(RetryPolicy(base=1.0, retry_after_cap=60.0))
    assert attempts.clock.slept == [7.5, 61.0]


async def test_progress_makes_a_failure_the_first_again() -> None:
    """As long as it goes on, however often it breaks off, it is not given up; waits begin again at the bottom."""
    attempts = Attempts([transient() for _ in range(10)])
    await attempts.run(RetryPolicy(attempts=2, base=1.0), progress=lambda: attempts.made * 1000)
    assert attempts.clock.slept == [0.5] * 10


async def test_without_progress_the_count_goes_on() -> None:
    """What was reached before counts for nothing."""
    attempts = Attempts([transient() for _ in range(10)])
    with pytest.raises(TransientFetchError):
        await attempts.run(RetryPolicy(attempts=4), progress=lambda: min(attempts.made, 3) * 10_000)
    assert attempts.made == 3 + 3


@pytest.mark.parametrize(("per_attempt", "made"), [(100, 11), (99, 3)])
async def test_a_byte_now_and_then_is_no_progress(per_attempt: int, made: int) -> None:
    """Whoever sends no more would keep us for ever: the waits between the attempts count."""
    attempts = Attempts([transient() for _ in range(10)])
    policy = RetryPolicy(attempts=3, base=1.0, cap=1.0, floor=199.0)
    with suppress(TransientFetchError):
        await attempts.run(policy, progress=lambda: attempts.made * per_attempt)
    assert attempts.made == made


@given(
    attempt=st.integers(1, 10_000),
    asked=st.none() | st.floats(allow_nan=False),
    random=st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_bounded(attempt: int, asked: float | None, random: float) -> None:
    """Whatever the server asks and however often it failed, a wait is neither negative nor above the caps."""
    policy = RetryPolicy()
    delay = policy.delay(attempt, asked, lambda: random)
    assert 0 <= delay <= policy.cap + policy.retry_after_cap
    if asked is not None:
        assert delay >= min(asked, policy.retry_after_cap)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("nan", None),
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60.0),
        ("Friday, 15-Jan-27 08:01:00 GMT", 60.0),
        ("Fri, 15 Jan 2027 08:01:00 -0000", 60.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("Fri, 99 Jan 2027 07:00:00 GMT", None),
        ("Fri, 15 Jan 99999999999999 07:00:00 GMT", None),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, seconds: float | None) -> None:
    """Seconds, or any form of date that RFC 9110 has had; what can't be read counts for nothing."""
    assert parse_retry_after(value, NOON) == seconds


@given(value=st.text(max_size=60))
def test_retry_after_never_raises(value: str) -> None:
    """The header is the server's, so anything may be in it."""
    seconds = parse_retry_after(value, NOON)
    assert seconds is None or seconds >= 0


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 507, 599])
def test_transient_statuses(status: int) -> None:
    """These may pass."""
    assert is_transient_status(status)


@pytest.mark.parametrize("status", [204, 206, 304, 400, 401, 403, 404, 405, 410, 416, 451, 600])
def test_final_statuses(status: int) -> None:
    """These won't."""
    assert not is_transient_status(status)


KEY = ConnectionKey("host.example", 80, is_ssl=False, ssl=True, proxy=None, proxy_auth=None, proxy_headers_hash=None)
OK = 200
TABLE: list[tuple[Sequence[int | Exception], type[FetchError] | None, str]] = [
    ([OK], None, ""),
    *[([status, status, OK], None, "") for status in (408, 425, 429, 500, 502, 503, 504)],
    *[([status] * 3, TransientFetchError, f"http_{status}") for status in (408, 425, 429, 500, 502, 503, 504)],
    *[([status], PermanentFetchError, f"http_{status}") for status in (400, 401, 403, 404, 405, 410, 416, 451)],
    ([503, 404], PermanentFetchError, "http_404"),
    ([503, 429, 500], TransientFetchError, "http_500"),
    ([TimeoutError(), OK], None, ""),
    ([aiohttp.ServerTimeoutError()] * 3, TransientFetchError, "read_timeout"),
    ([aiohttp.ConnectionTimeoutError()] * 3, TransientFetchError, "connect_timeout"),
    ([aiohttp.ServerDisconnectedError(), aiohttp.ClientOSError(), OK], None, ""),
    ([aiohttp.ServerDisconnectedError()] * 3, TransientFetchError, "connection_lost"),
    ([aiohttp.ClientPayloadError()] * 3, TransientFetchError, "truncated"),
    ([aiohttp.ClientConnectorError(KEY, OSError(111, "refused"))] * 3, TransientFetchError, "connect_failed"),
    ([aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown"))] * 3, TransientFetchError, "dns_failed"),
    ([aiohttp.ClientConnectorSSLError(KEY, OSError(1, "handshake"))] * 3, TransientFetchError, "tls_failed"),
    ([aiohttp.ClientConnectorCertificateError(KEY, OSError(1, "self-signed"))], PermanentFetchError, "tls_untrusted"),
    ([aiohttp.InvalidURL("http://?")], PermanentFetchError, "url_invalid"),
]


@pytest.mark.parametrize(("replies", "outcome", "code"), TABLE)
async def test_the_table_of_retries(
    replies: Sequence[int | Exception], outcome: type[FetchError] | None, code: str, workers: Workers
) -> None:
    """Three attempts on what may pass, one on what is final; every reply is used and no more are asked for."""
    clock, notes = FakeClock(), list[RetryNote]()
    with aioresponses() as host:
        for reply in replies:
            if isinstance(reply, Exception):
                host.get(URL, exception=reply)
            else:
                host.get(URL, status=reply, body=b"{}", response_class=Reply)
        async with Fetcher() as fetcher:
            client = Client(wire_of(fetcher, workers, policy=RetryPolicy(), clock=clock, notes=notes))
            if outcome is None:
                assert await client.read([URL], content, limit=100) == b"{}"
            else:
                with pytest.raises(outcome) as caught:
                    await client.read([URL], content, limit=100)
                assert caught.value.code == code
        asked = sum(len(requests) for requests in host.requests.values())
    assert asked == len(replies)
    assert len(clock.slept) == len(notes) == len(replies) - 1


async def test_retry_after_reaches_the_wait(workers: Workers) -> None:
    """What a server writes, as a date even, is what is slept."""
    clock = FakeClock(NOON)
    with aioresponses() as host:
        host.get(URL, status=503, headers={"Retry-After": "Fri, 15 Jan 2027 08:00:09 GMT"}, response_class=Reply)
        host.get(URL, status=429, headers={"Retry-After": "4"}, response_class=Reply)
        host.get(URL, body=b"{}", response_class=Reply)
        async with Fetcher(clock=clock) as fetcher:
            client = Client(wire_of(fetcher, workers, policy=RetryPolicy(), clock=clock, random=lambda: 0.0))
            await client.read([URL], content, limit=100)
    assert clock.slept == [9.0, 4.0]
