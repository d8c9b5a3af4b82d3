#pragma version 0.4.3
#pragma optimize gas
#pragma evm-version cancun
"""
@title Registry of models
@license Apache-2.0
@notice A model is its canonical bytes, kept on chain in data contracts, and its id is their
        SHA-256: who registers an id proves that the bytes are there. The first to register
        owns the entry, which gives the right to deprecate and to hand over, never to change
        a byte.
@dev    Names follow ERC-7992 where it has one for the thing.
"""

from lib import data_contract
from lib import erc7992
from lib import model_header


interface Hasher:
    def digest(chunks: DynArray[address, 16]) -> bytes32: view


event ModelRegistered:
    modelId: indexed(bytes32)
    owner: indexed(address)
    card: bytes32
    features: uint256


event ModelDeprecated:
    modelId: indexed(bytes32)


event ModelTransferred:
    modelId: indexed(bytes32)
    previousOwner: indexed(address)
    newOwner: indexed(address)


event ModelRestored:
    modelId: indexed(bytes32)


struct Model:
    owner: address
    card: bytes32
    n_features: uint256
    registered_at_block: uint256
    deprecated_at_block: uint256


struct ModelCommitment:  # ERC-7992's
    modelHash: bytes32
    circuitHash: bytes32
    vkHash: bytes32
    proofSystemId: bytes4
    uri: String[1]


MAX_CHUNKS: constant(uint256) = 16
GET_MODEL: constant(bytes4) = 0x6d361694  # getModel(uint256)
# Makes the contract of contracts/asm/Hasher.evm: hashing in Vyper would take memory for the
# largest model whatever the model, 1.5 million gas.
HASHER: constant(Bytes[83]) = x"61004980600a5f395ff3604460243560051b6044015f5b828214610032578235600b813b0380600b84843c8083019250505060208301925061000c565b60205f825f60025afa156100455760205ff35b5f5ffd"

hasher: public(immutable(Hasher))

_models: HashMap[bytes32, Model]
_chunks: HashMap[bytes32, DynArray[address, MAX_CHUNKS]]
_code: HashMap[bytes32, bytes32]  # fingerprint of the chunks' code when it was hashed


@deploy
def __init__():
    hasher = Hasher(raw_create(HASHER))


@external
def register(
    model_id: bytes32, chunks: DynArray[address, MAX_CHUNKS], card: bytes32, n_features: uint256
):
    """
    @notice Register a model whose bytes stand in `chunks`, in order, and that the judge can run
            as far as its header tells: of another, with more features than the judge takes, say,
            a lie could never be proven.
    @param model_id SHA-256 of the canonical model bytes
    @param chunks Data contracts whose data concatenates to those bytes
    @param card SHA-256 of the model card
    @param n_features How many features one row has
    """
    assert self._models[model_id].owner == empty(address), "Registry: model is registered already"
    self._store_chunks(model_id, chunks)
    features: uint256 = model_header.features(chunks[0])
    assert features > 0, "Registry: not a model that the judge can run"
    assert n_features == features, "Registry: the model has another number of features"
    self._models[model_id] = Model(
        owner=msg.sender,
        card=card,
        n_features=n_features,
        registered_at_block=block.number,
        deprecated_at_block=0,
    )
    log ModelRegistered(modelId=model_id, owner=msg.sender, card=card, features=n_features)


@external
def deprecate(model_id: bytes32):
    """
    @notice Retire a model, for ever: guards stop acting on it, disputes stay possible.
    """
    self._only_owner(model_id)
    assert self._models[model_id].deprecated_at_block == 0, "Registry: model is deprecated already"
    self._models[model_id].deprecated_at_block = block.number
    log ModelDeprecated(modelId=model_id)


@external
def transfer(model_id: bytes32, new_owner: address):
    """
    @notice Hand the entry over.
    """
    self._only_owner(model_id)
    assert new_owner != empty(address), "Registry: new owner is nobody"
    self._models[model_id].owner = new_owner
    log ModelTransferred(modelId=model_id, previousOwner=msg.sender, newOwner=new_owner)


@external
def restore(model_id: bytes32, chunks: DynArray[address, MAX_CHUNKS]):
    """
    @notice Point a model whose chunks have vanished to others with the same bytes. Anyone may:
            a contract can be destroyed in the transaction that made it, so an owner could
            otherwise withdraw the bytes, and with them the possibility of a dispute.
    """
    assert self._models[model_id].owner != empty(address), "Registry: unknown model"
    stored: DynArray[address, MAX_CHUNKS] = self._chunks[model_id]
    assert self._fingerprint(stored) != self._code[model_id], "Registry: chunks are intact"
    self._store_chunks(model_id, chunks)
    log ModelRestored(modelId=model_id)


@external
@view
def chunks(model_id: bytes32) -> DynArray[address, MAX_CHUNKS]:
    """
    @notice The data contracts of a model, in order; reverts if their code is no longer
            what was hashed when the model was registered. Safe to call: each returns its data.
    """
    stored: DynArray[address, MAX_CHUNKS] = self._chunks[model_id]
    assert len(stored) > 0, "Registry: unknown model"
    assert self._fingerprint(stored) == self._code[model_id], "Registry: a chunk has changed"
    return stored


@external
@view
def model(model_id: bytes32) -> Model:
    """
    @notice (owner, card, n_features, registered_at_block, deprecated_at_block); zeros if unknown.
    """
    return self._models[model_id]


@external
@view
def digest(chunks: DynArray[address, MAX_CHUNKS]) -> bytes32:
    """
    @notice SHA-256 of what these data contracts hold: the id of the model they make.
    """
    return self._digest(chunks)


@external
@view
def is_active(model_id: bytes32) -> bool:
    """
    @notice Registered, and not deprecated.
    """
    entry: Model = self._models[model_id]
    return entry.owner != empty(address) and entry.deprecated_at_block == 0


@external
@view
def getModel(modelId: uint256) -> (ModelCommitment, bool, address):
    """
    @notice ERC-7992's view of a model: (commitment, deprecated, owner). There is neither circuit
            nor verifying key, so their hashes are zero; what is known besides stands on the card.
    @param modelId The id as a number
    """
    entry: Model = self._models[convert(modelId, bytes32)]
    if entry.owner == empty(address):
        erc7992.refuse_model(method_id("ModelNotFound(uint256)"), modelId)
    commitment: ModelCommitment = ModelCommitment(
        modelHash=convert(modelId, bytes32),
        circuitHash=empty(bytes32),
        vkHash=empty(bytes32),
        proofSystemId=erc7992.PROOF_SYSTEM,
        uri="",
    )
    return commitment, entry.deprecated_at_block != 0, entry.owner


@external
@pure
def supportsInterface(interface_id: bytes4) -> bool:
    """
    @notice ERC-165: itself, and `getModel` alone of ERC-7992's registry, for a model is
            registered with its bytes here, and never changed.
    """
    return interface_id == erc7992.ERC165 or interface_id == GET_MODEL


@internal
@view
def _only_owner(model_id: bytes32):
    owner: address = self._models[model_id].owner
    assert owner != empty(address), "Registry: unknown model"
    assert msg.sender == owner, "Registry: caller is not the owner"


@internal
def _store_chunks(model_id: bytes32, chunks: DynArray[address, MAX_CHUNKS]):
    assert len(chunks) > 0, "Registry: a model has chunks"
    assert self._digest(chunks) == model_id, "Registry: bytes do not hash to the model id"
    assert model_header.is_cut_right(chunks), "Registry: chunks are cut otherwise than the judge reads"
    self._chunks[model_id] = chunks
    self._code[model_id] = self._fingerprint(chunks)


@internal
@view
def _digest(chunks: DynArray[address, MAX_CHUNKS]) -> bytes32:
    for chunk: address in chunks:
        assert data_contract.is_data(chunk), "Registry: a chunk is not a data contract"
    return staticcall hasher.digest(chunks)


@internal
@view
def _fingerprint(chunks: DynArray[address, MAX_CHUNKS]) -> bytes32:
    hashes: DynArray[bytes32, MAX_CHUNKS] = []
    for chunk: address in chunks:
        hashes.append(chunk.codehash)
    return keccak256(abi_encode(hashes))
