"""Who a shop's own server says a client is, and what that customer agreed to."""

from __future__ import annotations

from pydantic import Field

from voice_server.realtime.events import WireModel


class GivenConsent(WireModel):
    """What the customer agreed to; the default is nothing."""

    id: str = Field(default="", max_length=64)
    """Of the shop's own proof of it; stands in decision records."""
    history: bool = False
    """What they bought before may be used for advice."""
    profile: bool = False
    """What they like may be used for advice."""


class Customer(WireModel):
    """Told with a client secret by the shop's server, which holds an API key.

    What was not agreed to is not kept: :meth:`agreed` leaves it out.
    """

    id: str = Field(min_length=1, max_length=128)
    """The shop's own; only its digest is kept."""
    consent: GivenConsent = GivenConsent()
    bought: list[str] = Field(default_factory=list, max_length=100)
    """Product ids, newest first."""
    likes: list[str] = Field(default_factory=list, max_length=100)
    """Tags of the catalogue."""

    def agreed(self) -> Customer:
        """Return the customer with what they agreed to, and nothing else."""
        return self.model_copy(
            update={
                "bought": self.bought if self.consent.history else [],
                "likes": self.likes if self.consent.profile else [],
            }
        )
