"""Telegram's limits, kept on our side; the clock is the test's own."""

from collections.abc import Callable

import pytest

from bot.limits import CHAT_BURST, GROUP_PER_MINUTE, PER_SECOND, RESERVED, Limits

Advance = Callable[[float], None]


@pytest.fixture
def timed() -> tuple[Limits, Advance]:
    moment = [100.0]

    def advance(seconds: float) -> None:
        moment[0] += seconds

    return Limits(lambda: moment[0]), advance


def test_a_chat_gets_a_short_burst_and_then_one_message_a_second(timed: tuple[Limits, Advance]) -> None:
    limits, advance = timed
    assert [limits.take(7) for _ in range(CHAT_BURST)] == [0] * CHAT_BURST
    assert limits.take(7) == pytest.approx(1)
    assert limits.take(8) == 0
    advance(1)
    assert limits.take(7) == 0
    assert limits.take(7) == pytest.approx(1)


def test_all_chats_together_get_thirty_messages_a_second(timed: tuple[Limits, Advance]) -> None:
    limits, advance = timed
    assert sum(limits.take(chat) == 0 for chat in range(1, 100)) == PER_SECOND
    advance(1)
    assert sum(limits.take(chat) == 0 for chat in range(1, 100)) == PER_SECOND


def test_a_group_gets_twenty_messages_in_its_first_minute(timed: tuple[Limits, Advance]) -> None:
    limits, advance = timed
    sent = 0
    for _ in range(59):
        sent += limits.take(-7) == 0
        sent += limits.take(-7) == 0
        advance(1)
    assert sent <= GROUP_PER_MINUTE


def test_newsletters_leave_room_for_conversations(timed: tuple[Limits, Advance]) -> None:
    limits, _ = timed
    assert sum(limits.take(chat, bulk=True) == 0 for chat in range(1, 100)) == PER_SECOND - RESERVED
    assert sum(limits.take(chat) == 0 for chat in range(100, 200)) == RESERVED


def test_a_pause_holds_everybody_back_and_a_shorter_one_does_not_end_it(
    timed: tuple[Limits, Advance],
) -> None:
    limits, advance = timed
    limits.pause(30)
    limits.pause(2)
    assert limits.take(7) == pytest.approx(30)
    assert limits.take(None) == pytest.approx(30)
    advance(30)
    assert limits.take(7) == 0


async def test_a_turn_waits_until_the_limit_allows_it() -> None:
    moments = iter([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.999, 1.001, 1.001])
    limits = Limits(lambda: next(moments))
    for _ in range(CHAT_BURST):
        assert limits.take(7) == 0
    await limits.turn(7)
    assert next(moments) == 1.001


async def test_a_wait_beyond_one_s_patience_is_not_begun(timed: tuple[Limits, Advance]) -> None:
    limits, advance = timed
    limits.pause(30)
    assert await limits.turn(7, patience=5) == pytest.approx(30)
    assert limits.paused == pytest.approx(30)
    advance(30)
    assert await limits.turn(7, patience=5) == 0
    assert limits.paused == 0
