"""The `Executor` on py-evm: Prague rules from genesis, no proof of work.

The block loop is ours, not `MiningChain.mine_all`: that one refuses a whole
batch for one bad transaction, and wants every timestamp later than the last,
so that a busy chain's clock would run ahead of the world's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import rlp
from eth.abc import BlockHeaderAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI, StateAPI
from eth.consensus.context import ConsensusContext
from eth.constants import BLANK_ROOT_HASH
from eth.db.atomic import AtomicDB
from eth.db.chain import ChainDB
from eth.db.trie import make_trie_root_and_nodes
from eth.exceptions import Revert, VMError
from eth.vm.chain_context import ChainContext
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.blocks import PragueBlockHeader
from eth.vm.spoof import SpoofTransaction
from eth_typing import Address, BlockNumber, Hash32
from eth_utils.exceptions import ValidationError

from veridict.chain.embedded.admission import check_admission
from veridict.chain.embedded.executor import (
    REVERTED,
    Block,
    Call,
    Executed,
    Log,
    Outcome,
    Sealed,
    Transaction,
    TransactionRefused,
)
from veridict.chain.embedded.kv import NodeReader, NodeWriter

COINBASE = Address(b"\x00" * 20)  # nobody earns the tips of an embedded chain
INITIAL_BASE_FEE = 10**9  # EIP-1559
EXTRA_DATA = b"veridict"


class PyEvm:
    """See `executor.Executor`."""

    def __init__(self, writer: NodeWriter, reader: NodeReader, *, chain_id: int) -> None:
        self._chain_id = chain_id
        self._context = ChainContext(chain_id)
        self._writer = writer
        self._writing = ChainDB(AtomicDB(writer))
        self._reading = ChainDB(AtomicDB(reader))

    # -- writing ---------------------------------------------------------------

    def genesis(self, balances: Mapping[bytes, int], timestamp_s: int, gas_limit: int) -> Block:
        blank = PragueBlockHeader(
            difficulty=0, block_number=BlockNumber(0), gas_limit=gas_limit, timestamp=0
        )
        state = PragueVM.build_state(self._writing.db, blank, self._context)
        for address, wei in balances.items():
            state.set_balance(Address(address), wei)
        state.persist()
        header = PragueVM.create_genesis_header(
            difficulty=0,
            gas_limit=gas_limit,
            timestamp=timestamp_s,
            state_root=state.state_root,
            base_fee_per_gas=INITIAL_BASE_FEE,
            extra_data=EXTRA_DATA,
        )
        return self._store_header(header)

    def decode(self, raw: bytes) -> Transaction:
        try:
            return _transaction(self._decode(raw), raw)
        except TransactionRefused:
            raise
        except Exception as error:  # rlp, eth-keys and py-evm each raise their own
            raise TransactionRefused(f"invalid transaction: {error}") from error

    def seal(self, parent: Block, transactions: Sequence[Transaction], timestamp_s: int) -> Sealed:
        self._writer.drop()  # what an interrupted attempt left
        parent_header = _header(parent)
        header = PragueVM.create_header_from_parent(
            parent_header,
            timestamp=timestamp_s,
            gas_limit=parent.gas_limit,
            coinbase=COINBASE,
            extra_data=EXTRA_DATA,
        )
        vm = PragueVM(header, self._writing, self._context, ConsensusContext(self._writing.db))
        executed: list[Executed] = []
        refused: list[tuple[Transaction, TransactionRefused]] = []
        receipts: list[ReceiptAPI] = []
        included: list[SignedTransactionAPI] = []
        left: tuple[Transaction, ...] = ()
        for position, transaction in enumerate(transactions):
            if header.gas_used + transaction.gas > header.gas_limit and included:
                left = tuple(transactions[position:])
                break
            signed = self._decode(transaction.raw)
            try:
                check_admission(transaction, vm.state, header, self._chain_id)
                receipt, computation = vm.apply_transaction(header, signed)
            except TransactionRefused as error:
                refused.append((transaction, error))
                continue
            except ValidationError as error:  # raised before the state is touched
                refused.append((transaction, TransactionRefused(f"invalid transaction: {error}")))
                continue
            executed.append(_executed(transaction, receipt, computation, header.gas_used, vm.state))
            header = vm.add_receipt_to_header(header, receipt)
            receipts.append(receipt)
            included.append(signed)
        vm.state.persist()
        block = self._store_header(
            header.copy(
                state_root=vm.state.state_root,
                transaction_root=_root(included),
                receipt_root=_root(receipts),
            )
        )
        return Sealed(block, tuple(executed), tuple(refused), left)

    # -- reading ---------------------------------------------------------------

    def run(self, at: Block, call: Call, *, next_at_s: int | None) -> Outcome:
        state = self._state_for_call(at, next_at_s)
        sender = Address(call.sender)
        unsigned = PragueVM.get_transaction_builder().create_unsigned_transaction(
            nonce=state.get_nonce(sender),
            gas_price=0,
            gas=call.gas,
            to=Address(call.to or b""),
            value=call.value,
            data=call.data,
        )
        spoofed = cast(SignedTransactionAPI, SpoofTransaction(unsigned, from_=sender))
        if spoofed.intrinsic_gas > call.gas:
            raise TransactionRefused(
                f"intrinsic gas too low: have {call.gas}, want {spoofed.intrinsic_gas}"
            )
        balance = state.get_balance(sender)
        if balance < call.value:
            raise TransactionRefused(
                f"insufficient funds for transfer: balance {balance}, value {call.value}"
            )
        computation = state.apply_transaction(spoofed)
        return _outcome(spoofed, computation)

    def balance(self, at: Block, address: bytes) -> int:
        return self._state(at).get_balance(Address(address))

    def nonce(self, at: Block, address: bytes) -> int:
        return self._state(at).get_nonce(Address(address))

    def code(self, at: Block, address: bytes) -> bytes:
        return self._state(at).get_code(Address(address))

    def storage(self, at: Block, address: bytes, slot: int) -> int:
        return self._state(at).get_storage(Address(address), slot)

    # -- inside ----------------------------------------------------------------

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        return PragueVM.get_transaction_builder().decode(raw)

    def _state(self, at: Block) -> StateAPI:
        return PragueVM.build_state(self._reading.db, _header(at), self._context)

    def _state_for_call(self, at: Block, next_at_s: int | None) -> StateAPI:
        """Base fee 0, as geth does for a call that offers no gas price."""
        header: BlockHeaderAPI = _header(at)
        hashes = PragueVM.get_prev_hashes(Hash32(at.parent_hash), self._reading)
        if next_at_s is not None:
            header = PragueVM.create_header_from_parent(
                header, timestamp=next_at_s, gas_limit=at.gas_limit, coinbase=COINBASE
            )
            hashes = PragueVM.get_prev_hashes(Hash32(at.hash), self._reading)
        free = header.copy(base_fee_per_gas=0)
        return PragueVM.build_state(self._reading.db, free, self._context, hashes or ())

    def _store_header(self, header: BlockHeaderAPI) -> Block:
        """Headers lie beside the nodes: BLOCKHASH walks them."""
        encoded = rlp.encode(header)
        self._writing.db[header.hash] = encoded
        return Block(
            number=header.block_number,
            hash=header.hash,
            parent_hash=header.parent_hash,
            coinbase=header.coinbase,
            state_root=header.state_root,
            transactions_root=header.transaction_root,
            receipts_root=header.receipt_root,
            bloom=header.bloom,
            gas_limit=header.gas_limit,
            gas_used=header.gas_used,
            timestamp_s=header.timestamp,
            base_fee=header.base_fee_per_gas or 0,
            header=encoded,
        )


def _header(block: Block) -> PragueBlockHeader:
    return cast(PragueBlockHeader, rlp.decode(block.header, sedes=PragueBlockHeader))


def _root(items: Sequence[Any]) -> Hash32:
    if not items:
        return BLANK_ROOT_HASH
    return make_trie_root_and_nodes(tuple(items))[0]


def _transaction(signed: SignedTransactionAPI, raw: bytes) -> Transaction:
    typed: Any = signed
    kind = getattr(typed, "type_id", None) or 0
    if kind == 3:
        raise TransactionRefused("blob transactions are not supported")
    signed.check_signature_validity()
    return Transaction(
        hash=signed.hash,
        sender=signed.sender,
        type=kind,
        chain_id=signed.chain_id,
        nonce=signed.nonce,
        gas=signed.gas,
        max_fee=signed.max_fee_per_gas,
        max_tip=signed.max_priority_fee_per_gas,
        to=bytes(signed.to) or None,
        value=signed.value,
        data=signed.data,
        access_list=tuple((bytes(a), tuple(keys)) for a, keys in signed.access_list),
        v=typed.y_parity if kind else typed.v,
        r=signed.r,
        s=signed.s,
        raw=raw,
    )


def _executed(
    transaction: Transaction,
    receipt: ReceiptAPI,
    computation: ComputationAPI,
    gas_before: int,
    state: StateAPI,
) -> Executed:
    status = 0 if computation.is_error else 1
    created = transaction.to is None
    return Executed(
        transaction=transaction,
        status=status,
        gas_used=receipt.gas_used - gas_before,
        gas_price=computation.transaction_context.gas_price,
        contract=bytes(computation.msg.storage_address) if created else None,
        logs=tuple(
            Log(log.address, tuple(topic.to_bytes(32, "big") for topic in log.topics), log.data)
            for log in receipt.logs
        ),
    )


def _outcome(transaction: SignedTransactionAPI, computation: ComputationAPI) -> Outcome:
    peak = transaction.gas - computation.get_gas_remaining()
    refund = min(computation.get_gas_refund(), peak // 5)  # EIP-3529
    floor = cast(int, getattr(computation, "data_floor_gas", 0))  # EIP-7623
    used = peak - refund + floor
    return Outcome(
        output=computation.output if computation.is_success or _is_revert(computation) else b"",
        gas_used=used,
        gas_peak=max(peak, used),
        failure=_failure(computation),
    )


def _is_revert(computation: ComputationAPI) -> bool:
    return computation.is_error and isinstance(computation.error, Revert)


def _failure(computation: ComputationAPI) -> str | None:
    if computation.is_success:
        return None
    if _is_revert(computation):
        return REVERTED
    error: VMError = computation.error
    # "out of gas", "invalid instruction", ...
    return "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
