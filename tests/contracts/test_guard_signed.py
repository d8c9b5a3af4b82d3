"""Guard: predictions by their signature."""

from __future__ import annotations

from collections.abc import Callable

import boa
import pytest

from tests.support import contracts as c
from tests.support.contracts import World, account, deploy_world
from tests.support.guards import INVALID, refused, state
from veridict.assurance.signed import sign_prediction


def test_a_deadline_passes(world: World) -> None:
    payment = world.open()
    record = world.record(payment)
    deadline = boa.env.timestamp
    with boa.env.anchor():
        world.settle_signed(payment, record, deadline=deadline)
    boa.env.time_travel(seconds=1)
    refused(
        world,
        INVALID + "deadline has passed",
        lambda: world.settle_signed(payment, record, deadline=deadline),
    )


def test_a_stranger_or_a_leaver_is_refused(world: World) -> None:
    payment = world.open()
    record, too_small = world.record(payment), INVALID + "bond is too small"
    stranger = account("stranger")
    refused(world, too_small, lambda: world.settle_signed(payment, record, signer=stranger))
    world.stakes.deposit(value=c.MIN_BOND - 1, sender=stranger.address)
    refused(world, too_small, lambda: world.settle_signed(payment, record, signer=stranger))
    world.stakes.request_exit(sender=world.operator.address)
    refused(world, too_small, lambda: world.settle_signed(payment, record))


def test_a_signature_of_other_fields_is_a_strangers(world: World) -> None:
    payment = world.open()
    high, low = world.record(payment, c.HOLD_AT), world.record(payment)
    deadline = boa.env.timestamp + 60
    signature = sign_prediction(
        world.operator, high, world.guard.address, boa.env.evm.patch.chain_id, deadline
    )
    refused(
        world,
        INVALID + "bond is too small",
        lambda: world.settle_signed(payment, low, deadline=deadline, signature=signature),
    )
    refused(
        world,
        INVALID + "bond is too small",
        lambda: world.settle_signed(payment, high, deadline=deadline + 1, signature=signature),
    )


N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def high_s(signature: bytes) -> bytes:
    """The other signature of the same digest by the same key (EIP-2 forbids it)."""
    s = N - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])


@pytest.mark.parametrize(
    "broken",
    [
        lambda s: b"",
        lambda s: s[:64],
        lambda s: b"\0" * 65,
        lambda s: s[:64] + b"\x1d",
        lambda s: s[:64] + bytes([s[64] - 27]),
        high_s,
    ],
    ids=["empty", "short", "zeros", "v 29", "v 0 or 1", "high s"],
)
def test_a_malformed_signature_is_refused(world: World, broken: Callable[[bytes], bytes]) -> None:
    payment = world.open()
    record, deadline = world.record(payment), boa.env.timestamp + 60
    good = sign_prediction(
        world.operator, record, world.guard.address, boa.env.evm.patch.chain_id, deadline
    )
    refused(
        world,
        INVALID + "bad signature",
        lambda: world.settle_signed(payment, record, deadline=deadline, signature=broken(good)),
    )


def test_where_signed_is_not_enough(world: World) -> None:
    strict = deploy_world(min_assurance=c.OPTIMISTIC)
    payment = strict.open()
    record = strict.record(payment)
    refused(strict, INVALID + "signed is not enough", lambda: strict.settle_signed(payment, record))
    log = strict.publish([record])
    boa.env.time_travel(seconds=c.WINDOW_S)
    strict.settle_anchored(payment, log, 0)
    assert state(strict, payment) == c.PAID


def test_the_domain_is_told(world: World) -> None:
    assert world.guard.eip712Domain() == (
        b"\x0f",
        "veridict",
        "1",
        boa.env.evm.patch.chain_id,
        world.guard.address,
        b"\0" * 32,
        [],
    )
