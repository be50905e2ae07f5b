"""Keys derived from the service's one secret: links, address hashes, return paths, hook secrets."""

import hmac
from base64 import b32encode
from datetime import datetime
from hashlib import sha256

MAC_BYTES = 16
"""128 bits: enough that nobody guesses a link, short enough for a header."""
RETURN_MAC_BYTES = 10
"""80 bits, 16 letters of base32: a guess costs a letter through a mail server, and a local part is short."""


class Keyring:
    """Makes one independent key per purpose out of the service's secret."""

    def __init__(self, secret: str) -> None:
        """Take the secret of `[service] secret`; whoever holds it can forge links."""
        self._unused_mac = hmac.new(secret.encode(), digestmod=sha256)

    def hash_address(self, email_key: str) -> str:
        """Return the keyed hash under which an address stays suppressed after its erasure."""
        return self._mac("address", email_key).hex()

    def sign_unsubscribe(self, subscriber_id: int) -> str:
        """Return the token of a reader's unsubscribe link; it never expires and needs no storage."""
        return f"{subscriber_id}-{self._mac('unsubscribe', str(subscriber_id))[:MAC_BYTES].hex()}"

    def read_unsubscribe(self, token: str) -> int | None:
        """Return the subscriber's number of a genuine unsubscribe token, else None."""
        number = token.partition("-")[0]
        if not (number.isascii() and number.isdigit() and len(number) < 20):
            return None
        genuine = hmac.compare_digest(self.sign_unsubscribe(int(number)).encode(), token.encode())
        return int(number) if genuine else None

    def webhook_secret(self) -> str:
        """Return the secret that Telegram repeats to us with each webhook call."""
        return self._mac("telegram-webhook", "").hex()

    def message_id(self, campaign_id: int, subscriber_id: int) -> str:
        """Return the left part of the Message-ID: the same for every copy of one delivery."""
        return self._mac("message-id", f"{campaign_id}:{subscriber_id}")[:MAC_BYTES].hex()

    def message_id_of_notice(self, notice_id: int, created_at: datetime) -> str:
        """Return the same for a notice; its moment is in it, for a deleted notice's number comes again."""
        return self._mac("notice-id", f"{notice_id}:{created_at.isoformat()}")[:MAC_BYTES].hex()

    def sign_return_path(self, campaign_id: int, subscriber_id: int) -> str:
        """Return what proves that a return path is ours; mail servers may fold its case (base32)."""
        mac = self._mac("return-path", f"{campaign_id}.{subscriber_id}")[:RETURN_MAC_BYTES]
        return b32encode(mac).decode().lower()

    def _mac(self, purpose: str, message: str) -> bytes:
        mac = self._unused_mac.copy()
        mac.update(f"helixpost/{purpose}/{message}".encode())
        return mac.digest()
