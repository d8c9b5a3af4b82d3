"""64 questions, or 8 trees, at once: what Numba has no words for, built with its own helpers.

The kernels are cached by the time of their own file: whoever changes this one touches `kernels`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

BYTE, WORD = ir.IntType(8), ir.IntType(64)
EIGHT = ir.VectorType(WORD, 8)

Way = Callable[[Any, Any, Any, int], Any]  # builder, keys of lanes, row's keys, tables → its keys


def asked(tables: int, way: Way | None = None) -> Any:
    """What asks 64 lanes about a row's first `tables` × 16 keys, in the quickest way.

    `at`: the lanes in `words`; `own`: the row's keys in `keys`. Bit n: the key that lane n
    names, less 1 where its bit 7 is set, exceeds what it must. Both are signed bytes, and
    less 1 wraps: what is lowest becomes highest. Behind 32 keys stand the same less 1, and
    bit 5 of a lane is as bit 7.
    """

    @intrinsic
    def asked(context: Any, words: Any, at: Any, keys: Any, own: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            lanes = _bytes(builder, _at(context, builder, signature, arguments, 0))
            row = _at(context, builder, signature, arguments, 2)
            named, bounds = _loaded(builder, lanes, 64), _loaded(builder, lanes, 64, 64)
            find = way or _quickest(context.codegen().magic_tuple()[2])
            found = find(builder, named, row, tables)
            return builder.bitcast(builder.icmp_signed(">", found, bounds), WORD)

        return types.uint64(words, types.uint64, keys, types.uint64), generate

    return asked


def settled(depths: int) -> Any:
    """What finds where 8 trees end: room[found + n] has the number of a leaf as its bit length.

    `at`: their lanes in `words`, of which `depths` arrays stand `step` words apart (`lanes`);
    `bits`: where `room` has what their lanes were asked.
    """

    @intrinsic
    def settled(
        context: Any, words: Any, at: Any, step: Any, room: Any, bits: Any, found: Any
    ) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            first = _at(context, builder, signature, arguments, 0)
            arrays, place = [], WORD(0)
            for _ in range(depths):
                arrays.append(_eight(builder, builder.gep(first, [place])))
                place = builder.add(place, arguments[2])
            asked = _eight(builder, _at(context, builder, signature, arguments, 3))
            room = context.make_array(signature.args[3])(context, builder, arguments[3]).data
            to = builder.bitcast(builder.gep(room, [arguments[5]]), EIGHT.as_pointer())
            builder.store(_settled(builder, asked, arrays), to, align=8)
            return context.get_dummy_value()

        u64 = types.uint64
        return types.void(words, u64, u64, room, u64, u64), generate

    return settled


def _settled(builder: Any, asked: Any, deeper: list[Any]) -> Any:
    """The lanes at which rows leave paths, and for the first path the bit before its start."""
    none, one = ir.Constant(EIGHT, [0] * 8), ir.Constant(EIGHT, [1] * 8)
    start = builder.and_(deeper[0], builder.sub(none, deeper[0]))
    last = builder.lshr(start, one)
    for own, under in zip(deeper, [*deeper[1:], none], strict=True):
        may = builder.and_(builder.and_(asked, own), builder.not_(under))
        carried = builder.add(builder.xor(own, may), start)
        left = builder.and_(carried, may)
        last, start = builder.or_(last, left), builder.shl(left, one)
    return last


def _eight(builder: Any, at: Any) -> Any:
    return builder.load(builder.bitcast(at, EIGHT.as_pointer()), align=8)


@intrinsic
def half_word(context: Any, words: Any, at: Any) -> Any:
    """The u32 number `at` of those that `words` hold; one load, never part of a gather."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        halves = builder.bitcast(array.data, ir.IntType(32).as_pointer())
        place = builder.gep(halves, [arguments[1]])
        return builder.zext(builder.load_atomic(place, "monotonic", 4), WORD)

    return types.uint64(words, types.uint64), generate


def _at(context: Any, builder: Any, signature: Any, arguments: Any, number: int) -> Any:
    """Where argument `number`, an array, has what the next argument says."""
    array = context.make_array(signature.args[number])(context, builder, arguments[number])
    return builder.gep(array.data, [arguments[number + 1]])


def _bytes(builder: Any, at: Any) -> Any:
    return builder.bitcast(at, BYTE.as_pointer())


def _quickest(features: str) -> Way:
    if "+avx512vbmi," in features:
        return by_64
    if "+avx512bw," in features:
        return by_tables_of_64
    if "+avx2," in features:
        return by_tables_of_32
    return by_tables_of_16 if "+ssse3," in features else one_by_one


def _loaded(builder: Any, at: Any, size: int, offset: int = 0) -> Any:
    place = builder.gep(at, [WORD(offset)])
    return builder.load(builder.bitcast(place, ir.VectorType(BYTE, size).as_pointer()), align=1)


def _all(size: int, value: int) -> Any:
    return ir.Constant(ir.VectorType(BYTE, size), [value] * size)


def _called(builder: Any, name: str, *arguments: Any) -> Any:
    kind = ir.FunctionType(arguments[0].type, [argument.type for argument in arguments])
    find: Any = cgutils.get_or_insert_function
    return builder.call(find(builder.module, kind, name), arguments)


def by_64(builder: Any, named: Any, keys: Any, tables: int) -> Any:
    """The keys of 64 lanes, an instruction for each 64 of the row's (AVX-512 VBMI)."""
    planes = [
        _called(builder, "llvm.x86.avx512.permvar.qi.512", _loaded(builder, keys, 64, at), named)
        for at in range(0, 16 * tables, 64)
    ]
    if tables == 2:
        return planes[0]
    found, further = planes[0], planes[1:]
    for plane in further:
        bit = builder.and_(named, _all(64, 64))
        found = builder.select(builder.icmp_unsigned("!=", bit, _all(64, 0)), plane, found)
    return _less(builder, found, named)


def by_tables_of_64(builder: Any, named: Any, keys: Any, tables: int) -> Any:
    """The same by tables of 16 keys (AVX-512 BW)."""
    return _by_tables(builder, named, keys, tables, "llvm.x86.avx512.pshuf.b.512", 64)


def by_tables_of_32(builder: Any, named: Any, keys: Any, tables: int) -> Any:
    """The same, 32 lanes at a time (AVX2)."""
    return _by_tables(builder, named, keys, tables, "llvm.x86.avx2.pshuf.b", 32)


def by_tables_of_16(builder: Any, named: Any, keys: Any, tables: int) -> Any:
    """The same, 16 lanes at a time (SSSE3)."""
    return _by_tables(builder, named, keys, tables, "llvm.x86.ssse3.pshuf.b.128", 16)


def one_by_one(builder: Any, named: Any, keys: Any, tables: int) -> Any:
    """The same on any processor."""
    found, numbers = _all(64, 0), builder.and_(named, _all(64, 16 * tables - 1))
    for lane in range(64):
        number = builder.extract_element(numbers, ir.IntType(32)(lane))
        key = builder.load(builder.gep(keys, [builder.zext(number, WORD)]))
        found = builder.insert_element(found, key, ir.IntType(32)(lane))
    return _less(builder, found, named)


def _by_tables(builder: Any, named: Any, keys: Any, tables: int, shuffle: str, width: int) -> Any:
    """`shuffle` gives 0 for a number above 127, which one of another table is made."""
    parts = []
    for first in range(0, 64, width):
        part = _part(builder, named, list(range(first, first + width)))
        own, found = builder.and_(part, _all(width, 16 * tables - 1)), _all(width, 0)
        for table in range(tables):
            here = builder.sub(own, _all(width, 16 * table))  # below 0 in the tables before
            if table < tables - 1:  # and above 15 in those behind
                here = _called(builder, f"llvm.uadd.sat.v{width}i8", here, _all(width, 0x70))
            sixteen = _loaded(builder, keys, 16, 16 * table)
            repeated = _part(builder, sixteen, [n % 16 for n in range(width)])
            found = builder.or_(found, _called(builder, shuffle, repeated, here))
        parts.append(_less(builder, found, part))
    while len(parts) > 1:
        parts = [_joined(builder, *pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


def _less(builder: Any, found: Any, named: Any) -> Any:
    """`found`, less 1 where bit 7 of `named` is set."""
    size = named.type.count
    return builder.add(found, builder.ashr(named, _all(size, 7)))


def _part(builder: Any, lanes: Any, places: list[int]) -> Any:
    order = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
    return builder.shuffle_vector(lanes, lanes, order)


def _joined(builder: Any, first: Any, second: Any) -> Any:
    size = 2 * first.type.count
    order = ir.Constant(ir.VectorType(ir.IntType(32), size), list(range(size)))
    return builder.shuffle_vector(first, second, order)
