"""Sending: fees, nonces, and certainty whether a transaction arrived.

A signed transaction is sent as often as needed: the chain takes it once. What
can go wrong between signing and receipt, and what is done:

    the connection breaks while sending   look it up by hash; else send the same bytes again
    "already known"                       it arrived: wait
    "nonce too low", hash is mined        it arrived: take the receipt
    "nonce too low", hash is unknown      another process used the nonce: sign anew
    mined, then reorganised away          send the same bytes again
    another process replaced it in the    sign anew: with its nonce used by the other,
    pool, under the same nonce            it can never be mined
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from eth_account.signers.base import BaseAccount

from veridict.chain.addresses import checksum, to_hex
from veridict.chain.receipts import Signed, Tx, TxReceipt
from veridict.chain.refusals import is_known_already, nonce_is_taken, refusal, unsure
from veridict.core.errors import BadInput, Refused, RpcUnavailable
from veridict.core.ports import Rpc

GAS_MARGIN_DIVISOR = 5  # a fifth above the estimate: state may change before the block
BASE_FEE_MARGIN = 2  # six full blocks in a row raise the base fee by as much
# Two processes that make the same call with the same nonce must not sign the same bytes:
# each would take the other's transaction for its own. A few wei in the fee tell them apart.
FEE_MARK_BITS = 24
OUTBID_DIVISOR = 4  # nodes ask for a tenth more, some for an eighth, to replace in their pool
SEND_ATTEMPTS = 4
NONCE_ATTEMPTS = 20
FIRST_POLL_S, LONGEST_POLL_S, RESEND_S = 0.005, 0.5, 2.0


class Sender:
    """Sends for one account; its nonces are counted here, one sending at a time."""

    def __init__(
        self,
        rpc: Rpc,
        account: BaseAccount | None,
        chain_id: Callable[[], int],
        confirm_timeout_s: float,
    ) -> None:
        self._rpc = rpc
        self._account = account
        self._chain_id = chain_id
        self._timeout_s = confirm_timeout_s
        self._sending = threading.Lock()

    @property
    def address(self) -> str:
        if self._account is None:
            raise BadInput(
                "this client has no account and only reads",
                remedy="open the client with an account to send transactions",
            )
        return str(self._account.address)

    def send(self, txs: Sequence[Tx], *, check: bool) -> list[TxReceipt]:
        """See `Client.send_many`."""
        if not txs:
            return []
        gas = self._gas(txs)  # raises BadInput if there is no account
        with self._sending:  # until all arrived, so that the next nonce is known
            signed = self._arrive(txs, gas)
        receipts = self._confirm_all(signed)
        if check:
            for each, receipt in zip(signed, receipts, strict=True):
                if receipt.status != 1:
                    raise self.why_reverted(each.tx, receipt)
        return receipts

    def hand_over(
        self, tx: Tx, keep: Callable[[Signed], None], instead_of: Signed | None
    ) -> Signed:
        """See `Client.hand_over`."""
        (gas,) = self._gas([tx])
        with self._sending:  # so that nobody here takes the same nonce meanwhile
            (signed,) = self._sign([tx], [gas], instead_of)
            keep(signed)
            self.push(signed)
        return signed

    def push(self, signed: Signed) -> None:
        """See `Client.push`."""
        try:
            self._push_one(signed)
        except Refused as error:
            raise refusal(error, signed.tx.label, self.address) from error

    def wait(self, tx_hash: str, timeout_s: float | None = None) -> TxReceipt:
        return self._poll(tx_hash, None, timeout_s)

    # -- sign --------------------------------------------------------------------

    def _sign(
        self, txs: Sequence[Tx], gas: Sequence[int], instead_of: Signed | None = None
    ) -> list[Signed]:
        """With the account's next nonces and the fees of the moment: one round trip.

        `instead_of` gives the nonce, and fees that the new transaction must outbid.
        """
        account, chain_id = self._account, self._chain_id()
        assert account is not None  # `address` was asked for before
        count, head, tip_hex = self._rpc.batch(
            [
                ("eth_getTransactionCount", [self.address, "pending"]),
                ("eth_getBlockByNumber", ["latest", False]),
                ("eth_maxPriorityFeePerGas", []),
            ]
        )
        nonce, tip = int(count, 16), int(tip_hex, 16)
        fee = BASE_FEE_MARGIN * int(head.get("baseFeePerGas") or "0x0", 16) + tip
        fee += random.getrandbits(FEE_MARK_BITS)
        if instead_of is not None:
            nonce = instead_of.nonce
            tip = max(tip, instead_of.tip + instead_of.tip // OUTBID_DIVISOR + 1)
            fee = max(fee, tip, instead_of.max_fee + instead_of.max_fee // OUTBID_DIVISOR + 1)
        signed = []
        for tx, limit in zip(txs, gas, strict=True):
            fields: dict[str, Any] = {
                "type": 2, "chainId": chain_id, "nonce": nonce, "gas": limit,
                "maxFeePerGas": fee, "maxPriorityFeePerGas": tip, "value": tx.value,
                "data": tx.data, **({} if tx.to is None else {"to": checksum(tx.to)}),
            }  # fmt: skip
            done = account.sign_transaction(fields)
            raw = bytes(done.raw_transaction)
            signed.append(Signed(to_hex(bytes(done.hash)), raw, nonce, limit, tx, fee, tip))
            nonce += 1
        return signed

    def _gas(self, txs: Sequence[Tx]) -> list[int]:
        """The gas of each: as given, or estimated."""
        sender = self.address
        unknown = [tx for tx in txs if tx.gas is None]
        calls = [("eth_estimateGas", [{**self._fields(tx), "from": sender}]) for tx in unknown]
        try:
            found = self._rpc.batch(calls) if calls else []
        except Refused:
            found = [self._estimate(tx) for tx in unknown]  # to say which of them it is
        estimates = (int(gas, 16) for gas in found)
        return [
            tx.gas if tx.gas is not None else (gas := next(estimates)) + gas // GAS_MARGIN_DIVISOR
            for tx in txs
        ]

    def _estimate(self, tx: Tx) -> Any:
        try:
            return self._rpc.call("eth_estimateGas", [self._fields(tx)])
        except Refused as error:
            raise refusal(error, tx.label, self.address) from error

    def _fields(self, tx: Tx) -> dict[str, str]:
        fields = {"from": self.address, "data": to_hex(tx.data), "value": hex(tx.value)}
        if tx.to is not None:
            fields["to"] = tx.to
        if tx.gas is not None:
            fields["gas"] = hex(tx.gas)
        return fields

    # -- arrive ------------------------------------------------------------------

    def _arrive(self, txs: Sequence[Tx], gas: Sequence[int]) -> list[Signed]:
        """All of `txs` signed and taken by the node, anew under other nonces if need be."""
        arrived: list[Signed] = []
        for attempt in range(1, NONCE_ATTEMPTS + 1):
            waiting = self._sign(txs[len(arrived) :], gas[len(arrived) :])
            taken, problem = self._push(waiting)
            arrived += taken
            if problem is None:
                return arrived
            if attempt == NONCE_ATTEMPTS or not nonce_is_taken(problem):
                raise refusal(problem, waiting[len(taken)].tx.label, self.address)
            time.sleep(random.uniform(0, FIRST_POLL_S * attempt))  # whoever competes, waits too
        raise AssertionError("unreachable")

    def _push(self, signed: Sequence[Signed]) -> tuple[list[Signed], Refused | None]:
        """Sends in one batch; those that arrived (in order), and the first refusal."""
        try:
            self._rpc.batch([_raw(each) for each in signed])
            return list(signed), None
        except (Refused, RpcUnavailable):
            pass  # find out, one by one, which arrived
        taken: list[Signed] = []
        for each in signed:
            try:
                self._push_one(each)
            except Refused as error:
                return taken, error
            taken.append(each)
        return taken, None

    def _push_one(self, signed: Signed) -> None:
        """Raises Refused if the node does not take it, RpcUnavailable if nobody can tell."""
        pause = FIRST_POLL_S
        for attempt in range(1, SEND_ATTEMPTS + 1):
            try:
                if self.is_known(signed.hash):
                    return
                self._rpc.call(*_raw(signed))
                return
            except Refused as error:
                if is_known_already(error) or self.is_known(signed.hash):
                    return
                raise
            except RpcUnavailable as error:
                if attempt == SEND_ATTEMPTS:
                    raise unsure(error, signed) from error
            time.sleep(pause)
            pause *= 8

    def is_known(self, tx_hash: str) -> bool:
        return self._rpc.call("eth_getTransactionByHash", [tx_hash]) is not None

    # -- confirm -----------------------------------------------------------------

    def _confirm_all(self, signed: Sequence[Signed]) -> list[TxReceipt]:
        """One round trip where the chain mines at once."""
        try:
            found = self._rpc.batch([("eth_getTransactionReceipt", [s.hash]) for s in signed])
        except RpcUnavailable as error:
            raise unsure(error, signed[0]) from error
        return [
            TxReceipt.parse(receipt) if _is_mined(receipt) else self._confirm(each)
            for each, receipt in zip(signed, found, strict=True)
        ]

    def _confirm(self, signed: Signed) -> TxReceipt:
        for _ in range(NONCE_ATTEMPTS):
            try:
                return self._poll(signed.hash, signed, self._timeout_s)
            except RpcUnavailable as error:
                raise unsure(error, signed) from error
            except Refused as error:
                if not nonce_is_taken(error):
                    raise refusal(error, signed.tx.label, self.address) from error
            with self._sending:
                (signed,) = self._arrive([signed.tx], [signed.gas])
        raise RpcUnavailable(
            f"{signed.tx.label} was replaced by other transactions again and again",
            remedy=f"let only one process send from {self.address}",
            what=signed.tx.label,
        )

    def _poll(self, tx_hash: str, signed: Signed | None, timeout_s: float | None) -> TxReceipt:
        limit = self._timeout_s if timeout_s is None else timeout_s
        begun = resent = time.monotonic()
        pause = FIRST_POLL_S
        while True:
            found = self._rpc.call("eth_getTransactionReceipt", [tx_hash])
            if _is_mined(found):
                return TxReceipt.parse(found)
            now = time.monotonic()
            if now - begun > limit:
                raise RpcUnavailable(
                    f"transaction {tx_hash} is not mined after {limit:g} s",
                    remedy="check that the chain makes blocks and the fee suffices, then look "
                    "for the transaction by its hash before you send it again",
                    tx_hash=tx_hash,
                )
            if signed is not None and now - resent > RESEND_S:
                resent = now
                if not self.is_known(tx_hash):  # a reorganisation dropped it
                    self._push_one(signed)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_POLL_S)

    # -- refusals ----------------------------------------------------------------

    def why_reverted(self, tx: Tx, receipt: TxReceipt) -> Refused:
        """The reason of a mined revert, found by calling it again on the state before."""
        reason = "reverted without a reason, or out of gas"
        data = None
        try:
            before = hex(max(receipt.block_number - 1, 0))
            self._rpc.call("eth_call", [self._fields(tx), before])
        except Refused as error:
            reason = str(error.facts.get("reason") or reason)
            data = error.facts.get("data")
        return Refused(
            f"{tx.label} was refused: {reason}",
            remedy="see the reason; the transaction is mined and its gas is spent",
            what=tx.label, reason=reason, data=data, reverted=True, tx_hash=receipt.hash,
            gas_used=receipt.gas_used,
        )  # fmt: skip


def _is_mined(receipt: Any) -> bool:
    return receipt is not None and receipt.get("blockNumber") is not None


def _raw(signed: Signed) -> tuple[str, list[str]]:
    return "eth_sendRawTransaction", [to_hex(signed.raw)]
