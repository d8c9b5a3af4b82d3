"""Registry against a dict: an id has its bytes or says it has not, whatever happens to them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import boa
from boa.util.abi import Address
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.support.contracts import CARD, account, data_contract, deploy, model_bytes
from veridict.chain.data_contract import READER
from veridict.models.layout import WORD_CHUNK_BYTES

SMALL, FULL = model_bytes(b"a", 3), model_bytes(b"f", 3).ljust(WORD_CHUNK_BYTES, b"f")
PARTS = (SMALL, FULL, b"bb", b"b")  # what data contracts hold
# Each model's bytes, cut into rows of parts in one or two ways, of which the judge reads one.
MODELS = (((0,),), ((1, 2), (1, 3, 3)), ((1, 3),), ((1, 0),))
CODES = {"gone": b"", "other": READER + b"other", "bare": b"a"}


@dataclass
class Entry:
    owner: str
    chunks: list[str]
    code: list[bytes]  # of the chunks, when they were hashed
    registered_at: int
    deprecated_at: int = 0


class Models(RuleBasedStateMachine):
    """Data contracts come, vanish and come back; owners and strangers do what they can."""

    @initialize()
    def begin(self) -> None:
        self.scope = boa.env.anchor()
        self.scope.__enter__()
        self.registry: Any = deploy("Registry")
        self.people = [str(account(name).address) for name in ("a", "b")]
        self.entries: dict[bytes, Entry] = {}
        self.code: dict[str, bytes] = {}  # of every data contract, now
        self.pool: list[str] = []
        for part in PARTS * 2:
            self.publish(part)
        for which in (1, 3):
            self.register(who=0, which=which, shown=0, copies=[0, 0, 1, 0])

    def teardown(self) -> None:
        if hasattr(self, "scope"):
            self.scope.__exit__(None, None, None)

    who = st.integers(0, 1)
    which = st.integers(0, len(MODELS) - 1)
    at = st.integers(0, 7)
    copies = st.lists(st.integers(0, 1), min_size=4, max_size=4)

    def publish(self, part: bytes) -> None:
        address = data_contract(part)
        self.pool.append(address)
        self.code[address] = READER + part

    @staticmethod
    def model_id(which: int) -> bytes:
        return sha256(b"".join(PARTS[part] for part in MODELS[which][0])).digest()

    def chunks(self, which: int, copies: list[int]) -> list[str]:
        """Contracts that held the model when they were made: any cut, any copy of each part."""
        cut, *rest = copies
        parts = zip(MODELS[which][cut % len(MODELS[which])], rest, strict=False)
        own = [self.pool[part :: len(PARTS)] for part in range(len(PARTS))]
        return [own[part][copy % len(own[part])] for part, copy in parts]

    def defect(self, which: int, chunks: list[str]) -> str | None:
        """Why these chunks are not the model's bytes, now."""
        if not all(self.code[a].startswith(READER) for a in chunks):
            return "a chunk is not a data contract"
        held = b"".join(self.code[a].removeprefix(READER) for a in chunks)
        if sha256(held).digest() != self.model_id(which):
            return "bytes do not hash to the model id"
        if any(len(self.code[a]) - len(READER) != WORD_CHUNK_BYTES for a in chunks[:-1]):
            return "chunks are cut otherwise than the judge reads"
        return None

    def intact(self, entry: Entry) -> bool:
        return entry.code == [self.code[address] for address in entry.chunks]

    @rule(who=who, which=which, shown=st.just(0) | which, copies=copies)
    def register(self, who: int, which: int, shown: int, copies: list[int]) -> None:
        """An id with the chunks of a model: its own, or that `shown` places further on."""
        model_id, chunks = self.model_id(which), self.chunks((which + shown) % 4, copies)
        known = model_id in self.entries
        reason = "model is registered already" if known else self.defect(which, chunks)
        sender = self.people[who]
        if reason:
            with boa.reverts(f"Registry: {reason}"):
                self.registry.register(model_id, chunks, CARD, 3, sender=sender)
            return
        self.registry.register(model_id, chunks, CARD, 3, sender=sender)
        code = [self.code[address] for address in chunks]
        block = boa.env.evm.patch.block_number
        self.entries[model_id] = Entry(sender, chunks, code, block)

    @rule(which=which, copies=copies)
    def restore(self, which: int, copies: list[int]) -> None:
        model_id, chunks = self.model_id(which), self.chunks(which, copies)
        entry = self.entries.get(model_id)
        if entry is None:
            reason: str | None = "unknown model"
        elif self.intact(entry):
            reason = "chunks are intact"
        else:
            reason = self.defect(which, chunks)
        if entry is None or reason:
            with boa.reverts(f"Registry: {reason}"):
                self.registry.restore(model_id, chunks)
            return
        self.registry.restore(model_id, chunks)
        entry.chunks, entry.code = chunks, [self.code[address] for address in chunks]

    def refusal(self, who: int, model_id: bytes) -> str | None:
        entry = self.entries.get(model_id)
        if entry is None:
            return "unknown model"
        return None if entry.owner == self.people[who] else "caller is not the owner"

    @rule(who=st.just(0) | who, which=which)
    def deprecate(self, who: int, which: int) -> None:
        model_id = self.model_id(which)
        reason = self.refusal(who, model_id)
        if reason is None and self.entries[model_id].deprecated_at:
            reason = "model is deprecated already"
        if reason:
            with boa.reverts(f"Registry: {reason}"):
                self.registry.deprecate(model_id, sender=self.people[who])
            return
        self.registry.deprecate(model_id, sender=self.people[who])
        self.entries[model_id].deprecated_at = boa.env.evm.patch.block_number

    @rule(who=st.just(0) | who, which=which, heir=who)
    def transfer(self, who: int, which: int, heir: int) -> None:
        model_id, to = self.model_id(which), self.people[heir]
        if reason := self.refusal(who, model_id):
            with boa.reverts(f"Registry: {reason}"):
                self.registry.transfer(model_id, to, sender=self.people[who])
            return
        self.registry.transfer(model_id, to, sender=self.people[who])
        self.entries[model_id].owner = to

    @rule(at=at, code=st.sampled_from(list(CODES)))
    def destroy(self, at: int, code: str) -> None:
        self.set_code(self.pool[at % len(self.pool)], CODES[code])

    @rule(at=at)
    def bring_back(self, at: int) -> None:
        """The very same code at the very same address, as CREATE2 can."""
        number = at % len(self.pool)
        self.set_code(self.pool[number], READER + PARTS[number % len(PARTS)])

    def set_code(self, address: str, code: bytes) -> None:
        boa.env.set_code(Address(address), code)
        self.code[address] = code

    @rule()
    def pass_a_block(self) -> None:
        boa.env.time_travel(blocks=1)

    @invariant()
    def every_id_has_its_bytes_or_says_so(self) -> None:
        if not hasattr(self, "pool"):
            return
        for model_id in map(self.model_id, range(len(MODELS))):
            entry = self.entries.get(model_id)
            if entry is None:
                assert not self.registry.is_active(model_id)
                continue
            told = (entry.owner, CARD, 3, entry.registered_at, entry.deprecated_at)
            assert tuple(self.registry.model(model_id)) == told
            assert self.registry.is_active(model_id) == (entry.deprecated_at == 0)
            if self.intact(entry):
                assert self.registry.chunks(model_id) == entry.chunks
                assert sha256(self.bytes_of(entry.chunks)).digest() == model_id
            else:
                with boa.reverts("Registry: a chunk has changed"):
                    self.registry.chunks(model_id)

    def bytes_of(self, chunks: list[str]) -> bytes:
        return b"".join(boa.env.get_code(Address(a)).removeprefix(READER) for a in chunks)


TestModels = Models.TestCase
TestModels.settings = settings(max_examples=6, stateful_step_count=20)
