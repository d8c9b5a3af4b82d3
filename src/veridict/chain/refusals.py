"""What a node's refusal of a call or a transaction means, and how it is told."""

from __future__ import annotations

from veridict.chain.receipts import Signed
from veridict.core.errors import NoFunds, Refused, RpcUnavailable


def named(error: Refused, label: str) -> Refused:
    """The same refusal, told of the contract and function that refused."""
    return Refused(
        f"{label} was refused: {error.facts.get('reason')}",
        remedy=error.remedy,
        **{**error.facts, "what": label},
    )


def refusal(error: Refused, label: str, sender: str) -> Refused | NoFunds:
    """As `named`; NoFunds where the sender cannot pay."""
    if not _said(error, "insufficient funds"):
        return named(error, label)
    return NoFunds(
        f"{sender} cannot pay for {label}: {error.facts.get('reason')}",
        remedy=f"send ether to {sender} and run again",
        address=sender,
        what=label,
    )


def unsure(error: RpcUnavailable, signed: Signed) -> RpcUnavailable:
    """The chain went away, and nobody can tell whether the transaction arrived."""
    return RpcUnavailable(
        f"{error.message}; {signed.tx.label} may or may not be on the chain",
        remedy=f"when the chain is back, look for transaction {signed.hash} before sending again",
        **{**error.facts, "tx_hash": signed.hash, "what": signed.tx.label},
    )


def nonce_is_taken(error: Refused) -> bool:
    return _said(error, "nonce too low", "replacement transaction underpriced")


def is_known_already(error: Refused) -> bool:
    return _said(error, "already known", "already imported", "already in mempool")


def _said(error: Refused, *words: str) -> bool:
    reason = str(error.facts.get("reason")).lower()
    return any(word in reason for word in words)
