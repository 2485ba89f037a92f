"""What became of a hand-off, and the truth about it in the customer's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from voice_server.desk.packet import Ticket
from voice_server.desk.texts import customer, when
from voice_server.shop.markets import Market


@dataclass(frozen=True, slots=True)
class HandOffResult:
    """What became of a hand-off.

    ``ticket`` None: the desk has not confirmed.  Then ``kept`` tells whether the case is on disk
    and will be delivered later.
    """

    packet_id: str
    ticket: Ticket | None
    kept: bool
    open_now: bool
    callback_at: datetime | None = None

    def words(self, language: str, market: Market, *, phone: str = "") -> str:
        """Return what the customer is told, which is what is true."""
        if not self.kept:
            key = "failed" if phone else "failed_no_phone"
            return customer(key, language, phone=phone)
        sentences: list[str] = []
        if self.ticket is None:
            sentences.append(customer("kept", language))
        else:
            sentences.append(customer("handed", language, reference=self.ticket.reference))
        if self.callback_at is not None:
            moment = when(self.callback_at, market, language)
            key = "callback" if self.ticket is not None else "callback_kept"
            sentences.append(customer(key, language, when=moment))
        elif self.open_now and self.ticket is not None:
            sentences.append(customer("open_now", language))
        return " ".join(sentences)
