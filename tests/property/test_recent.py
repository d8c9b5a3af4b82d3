"""Whether requests are known: memory, a late index and the log say the same, whatever happens."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.kept import Kept
from tests.support.ledger import make_entry, make_signer, make_vault
from veridict.ledger import lookup, recent
from veridict.ledger.log import Log
from veridict.ledger.sidefile import FILE, SideFile
from veridict.privacy.vault import FileVault

NAMES = [f"request {number}" for number in range(9)]


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    """Bounds that a few records exceed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lookup, "LATE", 4)
        patched.setattr(lookup, "TOO_LATE", 25)
        patched.setattr(recent, "_KEPT_LONGER", 5)
        patched.setattr(recent, "_PAGE", 7)
        yield


def slow(log: Log) -> list[int | None]:
    """The first payload of each name, read from the log alone."""
    firsts: dict[str, int] = {}
    for index, payload in enumerate(log.payloads()):
        if payload is not None:
            firsts.setdefault(payload.request.id, index)
    return [firsts.get(name) for name in NAMES]


steps = st.one_of(
    st.tuples(st.just("append"), st.lists(st.sampled_from(NAMES[:-1]), min_size=1, max_size=12)),
    st.tuples(st.just("many"), st.integers(20, 40)),
    st.tuples(st.just("erase"), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(["ask", "fill", "lose", "reopen", "rest"]), st.none()),
)


@settings(max_examples=15)
@given(plan=st.lists(steps, min_size=2, max_size=14))
def test_memory_and_index_answer_as_the_log_does(plan: list[tuple[str, object]]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        log = opened(path)
        try:
            for what, given_ in plan:
                if what == "reopen":
                    log.close()
                    log = opened(path)
                else:
                    act(log, what, given_)
                assert log.find_requests(NAMES) == slow(log)
        finally:
            log.close()


def opened(path: Path) -> Log:
    return Log.open(path, signer=make_signer(), vault=make_vault(path))


def act(log: Log, what: str, given_: object) -> None:
    if what == "append":
        assert isinstance(given_, list)
        log.append([make_entry(name) for name in given_])
    elif what == "many":
        assert isinstance(given_, int)
        log.append([make_entry(f"other {log.size + number}") for number in range(given_)])
    elif what == "fill":
        log.find_request(NAMES[0])
    elif what == "lose":
        (log.path / FILE).unlink(missing_ok=True)
    elif what == "rest":
        log._lookups._end_filling()
    elif what == "erase":
        vault = log._vault
        assert isinstance(vault, FileVault)
        for slot in vault.retire(f"subject of {given_}"):
            log.settle()
            log.forget(slot)
            vault.destroy(slot)


def test_appending_does_not_wait_for_the_index(kept: Kept) -> None:
    """What is asked before each append writes nothing; late enough, the index follows beside."""
    with kept.open() as log:
        assert log.find_requests(["a"]) == [None]
        log.append([make_entry("a")])
        assert log.find_requests(["a", "b"]) == [0, None]
        assert indexed(log) == 0
        log.append([make_entry(f"c{number}") for number in range(5)])
        assert log.find_requests(["a", "c4"]) == [0, 5]
        log._lookups._end_filling()
        assert indexed(log) == 6


def test_what_another_writer_logged_is_known_at_once(kept: Kept) -> None:
    with kept.open() as log, kept.readonly() as beside:
        for number in range(12):
            log.append([make_entry(f"r{number}")])
            assert beside.find_requests([f"r{number}", "r0", "none"]) == [number, 0, None]


def indexed(log: Log) -> int:
    file = SideFile(log.path / FILE, log._store)
    try:
        return file.known
    finally:
        file.close()
