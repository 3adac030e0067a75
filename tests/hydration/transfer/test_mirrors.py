"""Mirrors: who is asked first, and which error counts when nobody answers."""

from __future__ import annotations

import pytest

from pycontextify.errors import FetchError, PermanentFetchError, SnapshotRejected, TransientFetchError, VerifyError
from pycontextify.hydration.transfer.mirrors import Mirrors
from tests.fakes.clock import FakeClock

FIRST, SECOND, THIRD = URLS = ("https://first/a", "https://second/a", "https://third/a")
GONE = PermanentFetchError("not there", code="http_404")
FORBIDDEN = PermanentFetchError("not for you", code="http_403")
BUSY = TransientFetchError("busy", code="http_503", retry_after=60.0)
LOST = TransientFetchError("lost", code="connection_lost", retry_after=5.0)
DOWN = TransientFetchError("down", code="connect_failed")
WRONG = VerifyError("wrong", code="digest_mismatch")


class Answers:
    """What each address answers: an error, or itself."""

    def __init__(self, **errors: FetchError | SnapshotRejected) -> None:
        self.errors = errors
        self.asked: list[str] = []

    async def __call__(self, url: str) -> str:
        self.asked.append(url)
        error = self.errors.get(url.removeprefix("https://").removesuffix("/a"))
        if error is not None:
            raise error
        return url


async def test_the_first_that_is_listed_is_asked_first() -> None:
    """And nobody else, when it answers."""
    ask = Answers()
    assert await Mirrors(FakeClock()).first(URLS, ask) == FIRST
    assert ask.asked == [FIRST]


@pytest.mark.parametrize("error", [GONE, FORBIDDEN, BUSY, LOST, WRONG])
async def test_whatever_is_wrong_with_one_the_next_is_asked(error: FetchError | SnapshotRejected) -> None:
    """A mirror that is down, one that lacks something, one that serves other bytes."""
    assert await Mirrors(FakeClock()).first(URLS, Answers(first=error)) == SECOND


async def test_one_that_failed_is_asked_last_for_a_while() -> None:
    """Then it is asked first again, for it was listed first."""
    clock = FakeClock()
    mirrors = Mirrors(clock)
    await mirrors.first(URLS, Answers(first=DOWN))
    assert mirrors.order(URLS) == [SECOND, THIRD, FIRST]
    clock.now += 14
    assert mirrors.order(URLS)[0] == SECOND
    clock.now += 2
    assert mirrors.order(URLS)[0] == FIRST


async def test_it_rests_longer_each_time_and_as_long_as_it_asks_for() -> None:
    """15, 30, 60 seconds, five minutes at most; Retry-After where that is longer. An answer makes it well again."""
    clock = FakeClock()
    mirrors = Mirrors(clock)
    rests = []
    for _ in range(7):
        mirrors.failed(FIRST)
        began = clock.now
        while mirrors.order(URLS)[0] != FIRST:
            clock.now += 1
        rests.append(clock.now - began)
    assert rests == [15, 30, 60, 120, 240, 300, 300]
    mirrors.failed(FIRST, 1000.0)
    clock.now += 999
    assert mirrors.order(URLS) == [SECOND, THIRD]
    mirrors.worked(FIRST)
    assert mirrors.order(URLS)[0] == FIRST


@pytest.mark.parametrize("answer", [GONE, FORBIDDEN])
async def test_a_mirror_that_lacks_something_is_well(answer: FetchError) -> None:
    """A sidecar that was never published is no fault, whatever the host calls that."""
    mirrors = Mirrors(FakeClock())
    await mirrors.first(URLS, Answers(first=answer))
    assert mirrors.order(URLS)[0] == FIRST


async def test_one_that_wants_to_be_left_alone_is() -> None:
    """As long as there is another; when all want that, they are asked once more and told so again."""
    clock = FakeClock()
    mirrors = Mirrors(clock)
    for _ in range(2):
        with pytest.raises(TransientFetchError) as caught:
            await mirrors.first(URLS[:2], ask := Answers(first=BUSY, second=DOWN))
    assert ask.asked == [SECOND]
    assert caught.value is DOWN
    mirrors.failed(SECOND, 60.0)
    assert mirrors.order(URLS[:2]) == [FIRST, SECOND]
    clock.now += 61
    assert mirrors.order(URLS[:2]) == [FIRST, SECOND]


async def test_those_that_rest_are_asked_in_the_order_in_which_they_recover() -> None:
    """The one that failed first comes first."""
    clock = FakeClock()
    mirrors = Mirrors(clock)
    mirrors.failed(SECOND)
    clock.now += 5
    mirrors.failed(FIRST)
    assert mirrors.order(URLS) == [THIRD, SECOND, FIRST]


async def test_paths_and_logins_of_one_host_share_its_health() -> None:
    """What is down is the host."""
    mirrors = Mirrors(FakeClock())
    mirrors.failed("https://user:pw@First:443/x?y")
    assert mirrors.order(["https://first:443/a", SECOND]) == [SECOND, "https://first:443/a"]


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ({"first": GONE, "second": GONE, "third": GONE}, GONE),
        ({"first": GONE, "second": FORBIDDEN, "third": GONE}, FORBIDDEN),
        ({"first": GONE, "second": BUSY, "third": FORBIDDEN}, BUSY),
        ({"first": BUSY, "second": LOST, "third": GONE}, LOST),
        ({"first": GONE, "second": WRONG, "third": GONE}, WRONG),
    ],
)
async def test_the_error_that_counts(errors: dict[str, FetchError | SnapshotRejected], told: FetchError) -> None:
    """One that may pass goes before one that won't, the shortest wait first, and all before 'not there'."""
    with pytest.raises(type(told)) as caught:
        await Mirrors(FakeClock()).first(URLS, Answers(**errors))
    assert caught.value is told
