"""Messages are split as written, and no message goes deeper or longer than the bounds."""

from mailer import parts
from mailer.parts import DEEPEST, MOST_FIELDS, MOST_PARTS


def test_a_nested_message_comes_out_as_its_leaves_in_order() -> None:
    message = parts.read(
        b'Subject: a\r\n  folded one\r\nContent-Type: multipart/mixed; boundary="o u t"\r\n\r\npreamble\r\n'
        b"--o u t\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n--in\r\n\r\nfirst\r\n"
        b"--in\r\nContent-Type: TEXT/HTML; charset=x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<p>=C5=A1</p>=\r\n!\r\n--in--\r\n--o u t\r\nContent-Type: message/rfc822\r\n\r\nSubject: b\r\n\r\n"
        b"c\r\n--o u t--\r\nepilogue"
    )
    assert message.values("subject") == ["a folded one"]
    assert [part.kind for part in message.parts] == ["text/plain", "text/html", "message/rfc822"]
    assert [part.text.strip() for part in message.parts] == ["first", "<p>š</p>!", "Subject: b\n\nc"]


def test_a_message_of_boundaries_alone_ends_soon() -> None:
    deep = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20_000))
    message = parts.read(deep)
    assert [part.kind for part in message.parts] == ["multipart/mixed"]
    assert len(message.parts[0].body) > len(deep) - DEEPEST * 60
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000
    assert len(parts.read(wide).parts) == MOST_PARTS


def test_a_header_without_an_end_is_read_in_bounds() -> None:
    fields = parts.read_fields(b"a: b\n" * 10_000)
    assert len(fields) == MOST_FIELDS
    [(name, value)] = parts.read_fields(b"subject: a\n" + b" fold\n" * 100_000)
    assert (name, len(value)) == ("subject", parts.LONGEST_VALUE)


def test_what_cannot_be_decoded_stays_as_it_is() -> None:
    head = b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
    assert parts.read(head + b"abc").parts[0].text == "abc"


def test_a_message_without_a_header_is_its_body() -> None:
    assert parts.read(b"\nhello").parts[0].text == "hello"
    assert parts.read(b"").parts[0].text == ""
