"""Answers about an order, after the customer has proved it is theirs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voice_server.dialogue.answers.scene import Draft, Scene
from voice_server.dialogue.answers.service import reach
from voice_server.shop import wording
from voice_server.shop.orders import Order, OrderStatus

MAX_FAILED = 3
"""Failed look-ups in a session before it gets no more: two slips of the tongue are forgiven."""


@dataclass(frozen=True, slots=True)
class _Proofs:
    number: str
    postcode: str


def status(scene: Scene) -> Draft:
    """Where is my order? Asks for what is missing; tells nothing of an order that is not proved."""
    context, today = scene.context, scene.now.date()
    proofs = _proofs(scene)
    known = scene.shop.orders.verified(context.order, today=today)
    if known is not None and proofs.number in {"", known.number}:
        return _tell(scene, known)
    if context.failed_lookups >= MAX_FAILED:
        return _locked(scene)
    if proofs.number and proofs.postcode:
        order = scene.shop.orders.find(proofs.number, proofs.postcode, today=today)
        if order is not None:
            return _tell(scene, order)
        failed = context.failed_lookups + 1
        if failed >= MAX_FAILED:
            return _locked(scene, failed)
        return Draft(
            tuple(scene.say("order_not_found")),
            changes={
                "awaiting": "order",
                "pending_number": "",
                "pending_postcode": "",
                "failed_lookups": failed,
            },
        )
    if proofs.number:
        return _ask(scene, "order_ask_postcode", proofs, "postcode")
    if proofs.postcode:
        return _ask(scene, "order_ask_number", proofs, "order")
    return _ask(scene, "order_ask", proofs, "order")


def _ask(scene: Scene, key: str, proofs: _Proofs, awaiting: str) -> Draft:
    return Draft(
        tuple(scene.say(key, digits=str(scene.shop.orders.digits))),
        changes={
            "awaiting": awaiting,
            "pending_number": proofs.number,
            "pending_postcode": proofs.postcode,
        },
    )


def _locked(scene: Scene, failed: int | None = None) -> Draft:
    policies = scene.shop.policies
    said = scene.say(
        "order_locked",
        phone=policies.phone,
        hours=wording.opening_hours(policies.hours, scene.shop.market, scene.language),
    )
    changes = {"pending_number": "", "pending_postcode": ""}
    if failed is not None:
        return Draft(tuple(said), reach(scene), changes={**changes, "failed_lookups": failed})
    return Draft(tuple(said), reach(scene), changes=changes)


def _proofs(scene: Scene) -> _Proofs:
    """Return number and postcode from this utterance and from what was given before."""
    number, postcode = scene.context.pending_number, scene.context.pending_postcode
    digits = scene.shop.orders.digits
    for run in scene.mentions.digits:
        head = re.sub(r"\D", "", run)
        if scene.context.awaiting == "postcode" and not _is_new_number(scene, run, number):
            postcode = run
        elif len(head) == digits and run == head and not _taken(number, scene):
            number = scene.shop.orders.number(run)
        elif len(head) > digits and run.startswith(head):
            # Both in one breath: "10482 1000".
            number, postcode = scene.shop.orders.number(run[:digits]), run[digits:]
        elif 4 <= len(head) <= 5:
            postcode = run
    return _Proofs(number, postcode)


def _is_new_number(scene: Scene, run: str, number: str) -> bool:
    """While a postcode is awaited: is this rather the order number said again?"""
    return scene.shop.orders.number(run) == number or len(scene.mentions.digits) > 1


def _taken(number: str, scene: Scene) -> bool:
    """A number of five digits was heard in this very utterance: the next five are a postcode."""
    first = scene.mentions.digits[0] if scene.mentions.digits else ""
    return (
        bool(number)
        and number == scene.shop.orders.number(first)
        and (len(scene.mentions.digits) > 1)
    )


def _tell(scene: Scene, order: Order) -> Draft:
    said = _words(scene, order)
    return Draft(
        tuple(said),
        (scene.sheets.order(order, " ".join(said)),),
        changes={"order": order.number, "pending_number": "", "pending_postcode": ""},
    )


def words(scene: Scene, order: Order) -> list[str]:
    """Return the sentences about a proved order."""
    return _words(scene, order)


def _words(scene: Scene, order: Order) -> list[str]:
    today = scene.now.date()
    key = f"order_{order.status}"
    arrives = order.expected if order.status is OrderStatus.SHIPPED else None
    if arrives is not None and arrives <= today:
        key = "order_shipped_today"
    return scene.say(
        key,
        date=scene.sheets.day(order.expected or order.ordered),
        carrier=order.carrier,
        refund=wording.units(scene.shop.policies.refund_days, "working_day", scene.language),
    )
