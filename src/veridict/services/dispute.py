"""Anyone proves a false score on chain: the judge contract runs the model itself and slashes.

`challenge` takes a receipt, because a receipt holds all that the judge needs:
the record and its place under an anchored root, and what opens the commitment
to its inputs. An honest score cannot be punished: the judge reverts.
"""

from __future__ import annotations

from dataclasses import dataclass

from veridict.core.errors import EvidenceError
from veridict.core.nouns import RECORD_BYTES
from veridict.models.canonical import CanonicalModel
from veridict.services.anchoring import log_key
from veridict.services.deploy import Network
from veridict.services.receipt import Receipt
from veridict.services.registering import model_on_chain

WORD = 32
NO_SCORE = -(2**255)  # what Judge.LieProven tells as the actual score where there is none


@dataclass(frozen=True, slots=True)
class Slashing:
    """What the judge found and did: scores in units of 2^-32, amounts in wei."""

    operator: str
    challenger: str
    leaf: bytes
    claimed: int
    actual: int  # NO_SCORE where the inputs are no row of the model
    slashed_wei: int
    gas_used: int
    tx_hash: str


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a challenge would meet, computed off chain first."""

    claimed: int
    actual: int  # as of Slashing

    @property
    def false(self) -> bool:
        return self.claimed != self.actual


def foresee(receipt: Receipt, network: Network) -> Ruling:
    """Run the registered model here, before paying for the judge to run it."""
    model = CanonicalModel(model_on_chain(network, receipt.record.model_id))
    inputs = receipt.payload.inputs
    fits = len(inputs) == 8 * model.n_features
    return Ruling(receipt.record.score, model.score_one(inputs) if fits else NO_SCORE)


def challenge(receipt: Receipt, network: Network) -> Slashing:
    """Send the challenge as `network`'s account; it earns half of the slashed bond.

    Raises Refused with the judge's reason: the score is honest, the evidence
    does not hold, the lie was proven before, or nothing is left to slash.
    """
    anchor = receipt.anchor
    done = network.judge.send(
        "challenge",
        receipt.operator,
        log_key(receipt.verifier_key),
        anchor.size,
        anchor.root,
        anchor.time_s,
        receipt.index,
        record_words(receipt.record.encode()),
        receipt.payload.inputs_salt,
        receipt.payload.inputs,
        list(receipt.proof),
    )
    proven = network.judge.decode_logs("LieProven", done.logs)
    if not proven:
        raise EvidenceError(
            "the judge accepted the challenge without reporting a lie",
            remedy="this is not the veridict judge; do not trust it",
            tx_hash=done.hash,
        )
    told = proven[0].args
    return Slashing(
        operator=told["operator"],
        challenger=told["challenger"],
        leaf=told["leaf"],
        claimed=told["claimed"],
        actual=told["actual"],
        slashed_wei=told["slashed"],
        gas_used=done.gas_used,
        tx_hash=done.hash,
    )


def record_words(body: bytes) -> list[bytes]:
    """The record as the contracts take it: bytes32[4]."""
    return [body[at : at + WORD] for at in range(0, RECORD_BYTES, WORD)]
