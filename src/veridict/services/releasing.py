"""A registered model is released on a line: proposed, waited for, put to work; or struck.

The contracts stand beside the network's and are deployed when they are first needed; where they
stand is kept with the log.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from veridict.chain.abi import encode_arguments
from veridict.chain.artifacts import Artifact
from veridict.chain.contract import Contract
from veridict.chain.deployment import deploy
from veridict.core.errors import NotFound
from veridict.core.nouns import Payload
from veridict.ledger.log import Log
from veridict.services.deploy import Network

RELEASES, INFERENCE = "releases", "inference"  # keys beside the log
DELAY_S = 86_400
NONE = bytes(32)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of versions, by the one who calls `contract`."""

    contract: Contract
    name: str
    id: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a model has come on a line: struck or never proposed, waiting, or at work."""

    model_id: bytes
    state: Literal["none", "proposed", "active"]
    ready_at_s: int | None  # of what is proposed


def releases(log: Log, network: Network) -> Contract:
    return _beside(log, network, RELEASES, "Releases", network.addresses.registry)


def inference(log: Log, network: Network) -> Contract:
    """ERC-7992's verifier for this network's models."""
    return _beside(log, network, INFERENCE, "Inference", network.addresses.judge)


def inference_proof(payload: Payload) -> bytes:
    """What `Inference.verifyInference` takes as proof: abi.encode(bytes32 salt, bytes inputs)."""
    return encode_arguments("proof", ["bytes32", "bytes"], [payload.inputs_salt, payload.inputs])


def line(contract: Contract, creator: str, name: str) -> Line:
    """The line `creator` began as `name`. Raises NotFound."""
    line_id = contract.call("line_of", creator, name)
    if not int(contract.call("line", line_id)[0], 16):
        raise NotFound(
            f"{creator} has no line {name!r}",
            remedy="begin it with `veridict model release MODEL --line NAME`",
            line=name,
        )
    return Line(contract, name, line_id)


def begin(contract: Contract, name: str, *, guardian: str, delay_s: int = DELAY_S) -> Line:
    """A fresh line, owned by the caller. Raises Refused, as for a name the caller has used."""
    contract.send("create", name, guardian, delay_s)
    return line(contract, contract.client.address, name)


def propose(line: Line, model_id: bytes) -> int:
    """The earliest second at which it can be released. Raises Refused."""
    line.contract.send("propose", line.id, model_id)
    return int(line.contract.call("proposed", line.id)[1])


def enact(line: Line, model_id: bytes) -> None:
    """Put the proposed model to work. Raises Refused before its delay is over."""
    line.contract.send("enact", line.id, model_id)


def veto(line: Line, model_id: bytes) -> None:
    """As the guardian: strike the proposed model. Raises Refused."""
    line.contract.send("veto", line.id, model_id)


def rollback(line: Line, model_id: bytes) -> None:
    """Leave the active model for the one before, now. Raises Refused."""
    line.contract.send("rollback", line.id, model_id)


def active(line: Line) -> bytes | None:
    """The model at work, by its id."""
    model_id: bytes = line.contract.call("active", line.id)
    return None if model_id == NONE else model_id


def standing(line: Line, model_id: bytes) -> Standing:
    proposed, ready_at_s = line.contract.call("proposed", line.id)
    if proposed == model_id and ready_at_s:
        return Standing(model_id, "proposed", ready_at_s)
    return Standing(model_id, "active" if active(line) == model_id else "none", None)


def advance(line: Line, model_id: bytes, *, now_s: int) -> Standing:
    """The next step of a release that is due: propose it, or put it to work. Raises Refused."""
    found = standing(line, model_id)
    if found.state == "none":
        propose(line, model_id)
    elif found.ready_at_s is not None and found.ready_at_s <= now_s:
        enact(line, model_id)
    return standing(line, model_id)


def _beside(log: Log, network: Network, key: str, name: str, argument: str) -> Contract:
    artifact = Artifact.load(name)
    stored = log.meta_get(key)
    if stored is not None:
        return Contract(network.client, artifact, stored.decode())
    contract = deploy(network.client, artifact, argument)
    log.meta_put(key, contract.address.encode())
    return contract
