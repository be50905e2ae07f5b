"""The plan of faults: order, exhaustion and what cannot be planned."""

import pytest

from demo.mail.faults import Fault, Faults, Moment, Reply


def test_faults_for_one_address_strike_in_the_order_planned() -> None:
    faults = Faults()
    faults.plan("ana@example.org", Moment.RCPT, Fault(Reply(450), 2))
    faults.plan("ana@example.org", Moment.RCPT, Fault(Reply(550), 1))

    struck = [faults.take(["ANA@example.org"], Moment.RCPT) for _ in range(4)]

    assert [fault.reply.code if fault and fault.reply else None for fault in struck] == [450, 450, 550, None]


def test_an_address_of_its_own_comes_before_everyone() -> None:
    faults = Faults()
    faults.plan("*", Moment.RCPT, Fault(Reply(450), None))
    faults.plan("ana@example.org", Moment.RCPT, Fault(Reply(550), 1))

    first, second = (faults.take(["ana@example.org"], Moment.RCPT) for _ in range(2))

    assert first is not None
    assert first.reply == Reply(550)
    assert second is not None
    assert second.reply == Reply(450)


def test_a_fault_strikes_only_at_its_moment() -> None:
    faults = Faults()
    faults.plan("ana@example.org", Moment.AFTER_DATA, Fault(None, 1))

    assert faults.take(["ana@example.org"], Moment.RCPT) is None
    assert faults.take(["bor@example.org", "ana@example.org"], Moment.AFTER_DATA) is not None


@pytest.mark.parametrize(("code", "text"), [(99, "low"), (700, "high"), (250, "two\r\n250 lines")])
def test_a_reply_that_would_break_the_conversation_is_refused(code: int, text: str) -> None:
    with pytest.raises(ValueError, match="one line of text"):
        Reply(code, text)


def test_a_fault_that_never_strikes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least once"):
        Faults().plan("ana@example.org", Moment.RCPT, Fault(Reply(450), 0))
