#pragma version 0.4.3
"""
@title Header of a canonical model
@license Apache-2.0
@notice What the judge can run, told by the first 32 bytes of a model: the registry takes nothing
        else, so that no score of a registered model is beyond dispute.
@dev    docs/reference/canonical-model.md has the fields.
"""

from lib import data_contract

HEADER_BYTES: constant(uint256) = 32
MAX_INPUTS: constant(uint256) = 2048  # bytes of a row: 256 features of 8 bytes
MAX_FEATURES: constant(uint256) = MAX_INPUTS // 8

FORMAT: constant(uint256) = 370747397121  # 0x5652445401: magic "VRDT" and version 1
TREES: constant(uint256) = 1
LINEAR: constant(uint256) = 2
MLP: constant(uint256) = 3
SCORE_BITS: constant(uint256) = 32
MAX_OUTPUTS: constant(uint256) = 64
# ... and the length of a page
SMALL_PAGE: constant(uint256) = 2047
PAGE: constant(uint256) = 8188
WORD: constant(uint256) = 32

# Bytes of a data contract that is not the last: whole pages, whole words
TREES_CHUNK: constant(uint256) = 24564
WORDS_CHUNK: constant(uint256) = 24544

U8: constant(uint256) = 2**8 - 1
U16: constant(uint256) = 2**16 - 1


@internal
@view
def features(chunk: address) -> uint256:
    """
    @notice How many features a row of the model has, by the header in its first chunk; 0 where
            that is no header of a model the scorer runs.
    @dev    Reverts where the chunk holds less than a header.
    """
    header: uint256 = self._header(chunk)
    kind: uint256 = (header >> 208) & U8
    page: uint256 = (header >> 160) & U16
    known: bool = header >> 216 == FORMAT and (header >> 200) & U8 == SCORE_BITS
    if kind == TREES:
        known = known and (page == PAGE or page == SMALL_PAGE)
    else:
        known = known and (kind == LINEAR or kind == MLP) and page == WORD
    count: uint256 = (header >> 176) & U16
    if not known or (header >> 192) & U8 >= MAX_OUTPUTS or count > MAX_FEATURES:
        return 0
    return count


@internal
@view
def is_cut_right(chunks: DynArray[address, 16]) -> bool:
    """
    @notice Whether the model is cut where the scorer expects it: the same bytes cut elsewhere
            would give another score.
    """
    size: uint256 = WORDS_CHUNK
    if (self._header(chunks[0]) >> 208) & U8 == TREES:
        size = TREES_CHUNK
    size += data_contract.PREFIX_BYTES
    left: uint256 = len(chunks)
    for chunk: address in chunks:
        left -= 1
        if chunk.codesize > size or (left > 0 and chunk.codesize < size):
            return False
    return True


@internal
@view
def _header(chunk: address) -> uint256:
    return convert(slice(chunk.code, data_contract.PREFIX_BYTES, HEADER_BYTES), uint256)
