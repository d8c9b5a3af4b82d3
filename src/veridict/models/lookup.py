"""64 questions at once: the instructions that Numba has no words for, built with its own helpers.

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

Way = Callable[[Any, Any, Any, int], Any]  # builder, lanes, keys, planes → their keys


def asked(planes: int, way: Way | None = None) -> Any:
    """What asks 64 lanes about the first `planes` × 64 of the row's keys, in the quickest way."""

    @intrinsic
    def asked(context: Any, words: Any, at: Any, keys: Any) -> Any:
        """Bit n: the key that lane n names exceeds what it must. `at`: the lanes in `words`."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            def data(number: int) -> Any:
                array = context.make_array(signature.args[number])
                return array(context, builder, arguments[number]).data

            slots = builder.bitcast(builder.gep(data(0), [arguments[1]]), BYTE.as_pointer())
            thresholds = _loaded(builder, builder.gep(slots, [WORD(64)]), 64)
            find = way or _quickest(context.codegen().magic_tuple()[2])
            found = find(builder, slots, data(2), planes)
            return builder.bitcast(builder.icmp_unsigned(">", found, thresholds), WORD)

        return types.uint64(words, types.uint64, keys), generate

    return asked


def _quickest(features: str) -> Way:
    if "+avx512vbmi," in features:
        return by_64
    return by_16 if "+avx2," in features else one_by_one


def _loaded(builder: Any, at: Any, size: int) -> Any:
    return builder.load(builder.bitcast(at, ir.VectorType(BYTE, size).as_pointer()), align=1)


def _all(size: int, value: int) -> Any:
    return ir.Constant(ir.VectorType(BYTE, size), [value] * size)


def _called(builder: Any, name: str, *arguments: Any) -> Any:
    kind = ir.FunctionType(arguments[0].type, [argument.type for argument in arguments])
    find: Any = cgutils.get_or_insert_function
    return builder.call(find(builder.module, kind, name), arguments)


def by_64(builder: Any, slots: Any, keys: Any, planes: int) -> Any:
    """The keys of 64 lanes, an instruction a plane (AVX-512 VBMI)."""
    slots = _loaded(builder, slots, 64)
    planes_of, found = builder.lshr(slots, _all(64, 6)), None
    for plane in range(planes):
        own = _loaded(builder, builder.gep(keys, [WORD(64 * plane)]), 64)
        looked_up = _called(builder, "llvm.x86.avx512.permvar.qi.512", own, slots)
        here = builder.icmp_unsigned("==", planes_of, _all(64, plane))
        found = looked_up if found is None else builder.select(here, looked_up, found)
    return found


def by_16(builder: Any, slots: Any, keys: Any, planes: int) -> Any:
    """The same by tables of 16 keys (AVX2): a slot of another table is made one that gives 0."""
    halves = []
    for half in range(2):
        own, found = _loaded(builder, builder.gep(slots, [WORD(32 * half)]), 32), _all(32, 0)
        for table in range(4 * planes):
            sixteen = _loaded(builder, builder.gep(keys, [WORD(16 * table)]), 16)
            both = ir.Constant(ir.VectorType(ir.IntType(32), 32), [n % 16 for n in range(32)])
            twice = builder.shuffle_vector(sixteen, sixteen, both)
            other = builder.xor(own, _all(32, 16 * table))
            marked = _called(builder, "llvm.uadd.sat.v32i8", other, _all(32, 0x70))
            looked_up = _called(builder, "llvm.x86.avx2.pshuf.b", twice, marked)
            found = builder.or_(found, looked_up)
        halves.append(found)
    order = ir.Constant(ir.VectorType(ir.IntType(32), 64), list(range(64)))
    return builder.shuffle_vector(*halves, order)


def one_by_one(builder: Any, slots: Any, keys: Any, planes: int) -> Any:
    """The same on any processor."""
    found = _all(64, 0)
    for lane in range(64):
        slot = builder.zext(builder.load(builder.gep(slots, [WORD(lane)])), WORD)
        key = builder.load(builder.gep(keys, [slot]))
        found = builder.insert_element(found, key, ir.IntType(32)(lane))
    return found
