"""Returned mail: reports as mail servers write them, about a letter of ours."""

import smtplib
from pathlib import Path

FOLDER = Path(__file__).parent / "returned"
BOUNCES = "bounces@bounces.example.org"


def report(
    name: str,
    return_path: str = "bounces+1.2.mac@bounces.example.org",
    *,
    message_id: str = "",
    token: str = "",
) -> bytes:
    """Return a message of the collection as it travels."""
    text = (FOLDER / f"{name}.eml").read_text(encoding="utf-8")
    text = text.replace("RETURN_PATH", return_path).replace("MESSAGE_ID", message_id).replace("TOKEN", token)
    return text.replace("\n", "\r\n").encode()


def everything() -> list[str]:
    """Return the names of all messages."""
    return sorted(path.stem for path in FOLDER.glob("*.eml"))


def hand_over(port: int, address: str, content: bytes) -> None:
    """Bring a message to the embedded receiver of this machine, as a mail server would over LMTP."""
    with smtplib.LMTP("127.0.0.1", port, timeout=10) as receiver:
        receiver.sendmail("", [address], content)
