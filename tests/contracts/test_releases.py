"""Releases: what each step needs, and what it says."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import boa
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests.support.contracts import CARD, account, data_contract, deploy, model_bytes

DELAY_S = 1_000
NOBODY = "0x" + "00" * 20
NONE = b"\0" * 32
NAME = "payments"


def model(registry: Any, data: bytes) -> bytes:
    data = model_bytes(data)
    model_id = sha256(data).digest()
    registry.register(model_id, [data_contract(data)], CARD, 1)
    return model_id


@pytest.fixture
def registry() -> Any:
    return deploy("Registry")


@pytest.fixture
def releases(registry: Any) -> Any:
    return deploy("Releases", registry.address)


@pytest.fixture
def guardian() -> str:
    return str(account("guardian").address)


@pytest.fixture
def line(releases: Any, guardian: str) -> bytes:
    return bytes(releases.create(NAME, guardian, DELAY_S))


@pytest.fixture
def first(registry: Any) -> bytes:
    return model(registry, b"first")


@pytest.fixture
def second(registry: Any) -> bytes:
    return model(registry, b"second")


def released(releases: Any, line: bytes, model_id: bytes) -> None:
    releases.propose(line, model_id)
    boa.env.time_travel(seconds=DELAY_S)
    releases.enact(line, model_id)


def test_a_line_begins_with_nothing_at_work(releases: Any, guardian: str) -> None:
    line = releases.create(NAME, guardian, DELAY_S)
    (event,) = releases.get_logs()
    assert line == keccak(encode(["address", "string"], [str(boa.env.eoa), NAME]))
    assert line == releases.line_of(boa.env.eoa, NAME) == event.line
    assert (event.owner, event.guardian, event.name, event.delay) == (
        boa.env.eoa,
        guardian,
        NAME,
        DELAY_S,
    )
    assert tuple(releases.line(line)) == (boa.env.eoa, NOBODY, guardian, DELAY_S, 0, 0)
    assert releases.active(line) == NONE


def test_a_line_needs_a_name_a_guardian_and_a_delay(releases: Any, guardian: str) -> None:
    for reason, args in (
        ("a line has a name", ("", guardian, DELAY_S)),
        ("guardian is nobody", (NAME, NOBODY, DELAY_S)),
        ("delay is not within 1 s and 366 days", (NAME, guardian, 0)),
        ("delay is not within 1 s and 366 days", (NAME, guardian, 2**255)),
    ):
        with boa.reverts(f"Releases: {reason}"):
            releases.create(*args)
    releases.create(NAME, guardian, DELAY_S)
    with boa.reverts("Releases: line exists already"):
        releases.create(NAME, guardian, 1)
    releases.create(NAME, guardian, 1, sender=guardian)  # everybody has names of their own


def test_a_version_is_active_after_the_delay_and_not_before(
    releases: Any, line: bytes, first: bytes
) -> None:
    releases.propose(line, first)
    (event,) = releases.get_logs()
    ready_at = boa.env.timestamp + DELAY_S
    assert (event.line, event.modelId, event.readyAt) == (line, first, ready_at)
    assert tuple(releases.proposed(line)) == (first, ready_at)
    boa.env.time_travel(seconds=DELAY_S - 1)
    with boa.reverts("Releases: delay is not over"):
        releases.enact(line, first)
    assert releases.active(line) == NONE
    boa.env.time_travel(seconds=1)
    releases.enact(line, first, sender=boa.env.generate_address())
    (event,) = releases.get_logs()
    assert (event.line, event.modelId, event.number) == (line, first, 1)
    assert releases.active(line) == first
    assert tuple(releases.version(line, 1)) == (first, 0, boa.env.timestamp)
    assert tuple(releases.proposed(line)) == (NONE, 0)


def test_a_vetoed_version_is_gone(
    releases: Any, line: bytes, first: bytes, second: bytes, guardian: str
) -> None:
    releases.propose(line, first)
    with boa.reverts("Releases: caller is not the guardian"):
        releases.veto(line, first)
    with boa.reverts("Releases: another version is proposed"):
        releases.veto(line, second, sender=guardian)
    boa.env.time_travel(seconds=2 * DELAY_S)  # ready, but still not released
    releases.veto(line, first, sender=guardian)
    (event,) = releases.get_logs()
    assert (event.line, event.modelId, event.guardian) == (line, first, guardian)
    with boa.reverts("Releases: nothing is proposed"):
        releases.enact(line, first)
    assert releases.active(line) == NONE


def test_one_version_is_proposed_at_a_time(
    releases: Any, line: bytes, first: bytes, second: bytes
) -> None:
    releases.propose(line, first)
    with boa.reverts("Releases: another version is proposed"):
        releases.propose(line, second)
    with boa.reverts("Releases: another version is proposed"):
        releases.enact(line, second)
    releases.withdraw(line, first)
    (event,) = releases.get_logs()
    assert (event.line, event.modelId) == (line, first)
    releases.propose(line, second)


def test_only_models_at_work_in_the_registry_are_released(
    registry: Any, releases: Any, line: bytes, first: bytes
) -> None:
    with boa.reverts("Releases: model is not active"):
        releases.propose(line, b"u" * 32)
    releases.propose(line, first)
    registry.deprecate(first)
    boa.env.time_travel(seconds=DELAY_S)
    with boa.reverts("Releases: model is not active"):
        releases.enact(line, first)


def test_rolling_back_follows_what_was_at_work(
    registry: Any, releases: Any, line: bytes, first: bytes, second: bytes, guardian: str
) -> None:
    third = model(registry, b"third")
    with boa.reverts("Releases: no version before this one"):
        releases.rollback(line, NONE)
    for model_id in (first, second):
        released(releases, line, model_id)
    with boa.reverts("Releases: caller is neither owner nor guardian"):
        releases.rollback(line, second, sender=boa.env.generate_address())
    releases.rollback(line, second, sender=guardian)
    (event,) = releases.get_logs()
    assert (event.modelId, event.by, event.fromModelId, event.number) == (
        first,
        guardian,
        second,
        1,
    )
    with boa.reverts("Releases: another version is active"):
        releases.rollback(line, second)  # the owner, who hurried too
    released(releases, line, third)
    assert tuple(releases.version(line, 3)) == (third, 1, boa.env.timestamp)
    releases.rollback(line, third)
    assert releases.active(line) == first  # not the second, which was gone back from
    assert releases.line(line).count == 3
    with boa.reverts("Releases: no version before this one"):
        releases.rollback(line, first)
    with boa.reverts("Releases: version is active already"):
        releases.propose(line, first)


def test_a_line_is_handed_over_in_two_steps(releases: Any, line: bytes, first: bytes) -> None:
    heir, owner = boa.env.generate_address(), boa.env.eoa
    releases.offer(line, heir)
    (event,) = releases.get_logs()
    assert (event.line, event.owner, event.heir) == (line, owner, heir)
    with boa.reverts("Releases: caller is not the heir"):
        releases.accept(line)
    releases.propose(line, first)  # the owner's until it is accepted
    releases.accept(line, sender=heir)
    (event,) = releases.get_logs()
    assert (event.line, event.previousOwner, event.newOwner) == (line, owner, heir)
    with boa.reverts("Releases: caller is not the owner"):
        releases.withdraw(line, first)
    releases.withdraw(line, first, sender=heir)
    with boa.reverts("Releases: caller is not the heir"):
        releases.accept(line, sender=heir)  # an offer is good once


def test_an_unknown_line_has_nothing(releases: Any, first: bytes) -> None:
    unknown = b"n" * 32
    for name, args in (
        ("propose", (first,)),
        ("withdraw", (first,)),
        ("rollback", (NONE,)),
        ("offer", (boa.env.eoa,)),
        ("accept", ()),
    ):
        with boa.reverts("Releases: unknown line"):
            getattr(releases, name)(unknown, *args)
    with boa.reverts("Releases: nothing is proposed"):
        releases.enact(unknown, first)
    with boa.reverts("Releases: caller is not the guardian"):
        releases.veto(unknown, first)
    assert releases.active(unknown) == NONE
