"""Return paths: the address to which one letter comes back, which nobody else can write (VERP with a MAC)."""

import hmac
import re

from domain.keys import Keyring

_MARK = len("+2147483647.2147483647.") + 16
LONGEST_BASE = 64 - _MARK
"""Octets before the `+`, so that the whole fits a local part (RFC 5321, 4.5.3.1.1)."""


class ReturnPaths:
    """Writes and reads `bounces+<campaign>.<subscriber>.<mac>@bounces.example.org`."""

    def __init__(self, address: str, keyring: Keyring) -> None:
        """Take the bare address of `[bounces] address`."""
        self._local, _, self.domain = address.lower().partition("@")
        self._keyring = keyring
        marked = rf"{re.escape(self._local)}\+([1-9][0-9]{{0,9}})\.([1-9][0-9]{{0,9}})\.([a-z2-7]{{16}})"
        self._pattern = re.compile(rf"{marked}@{re.escape(self.domain)}")

    def of(self, campaign_id: int, subscriber_id: int) -> str:
        """Return where a letter comes back to."""
        mac = self._keyring.sign_return_path(campaign_id, subscriber_id)
        return f"{self._local}+{campaign_id}.{subscriber_id}.{mac}@{self.domain}"

    def read(self, address: str) -> tuple[int, int] | None:
        """Return campaign and subscriber of a genuine return path; None for a forged or foreign address.

        Its case says nothing: some mail servers fold it.
        """
        found = self._pattern.fullmatch(address.lower())
        if found is None:
            return None
        campaign_id, subscriber_id = int(found[1]), int(found[2])
        genuine = self._keyring.sign_return_path(campaign_id, subscriber_id)
        return (campaign_id, subscriber_id) if hmac.compare_digest(genuine, found[3]) else None

    def is_bare(self, address: str) -> bool:
        """Say whether this is the address itself: mail providers send complaints there."""
        return address.lower() == f"{self._local}@{self.domain}"
