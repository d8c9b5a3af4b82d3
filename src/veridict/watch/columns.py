"""One column of a file into its normal type, or the row that does not fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from veridict.core.errors import BadStream
from veridict.watch.arrays import F64
from veridict.watch.mapping import Bound, Kind

MAX_AMOUNT_MINOR = 10**15  # ten trillion in cents; more is a mistake in the data
MAX_TIME_S = 32_503_680_000  # the year 3000; milliseconds land far beyond it
MAX_INTEGER = 2**53 - 1  # exact in a double and in canonical JSON
MAX_TEXT = 256


class _Bad(Exception):
    """Row `index` of the batch does not fit."""

    def __init__(self, index: int, why: str, remedy: str) -> None:
        self.index, self.why, self.remedy = index, why, remedy


def convert(values: Any, bound: Bound, file: str, before: int) -> pa.Array:
    """`values` (one batch, `before` rows come earlier in the file) as its kind's Arrow array.

    Raises BadStream with the first row that does not fit.
    """
    try:
        if bound.column.kind in _SCALE:
            return _amount(_number(values), _SCALE[bound.column.kind], bound.column.zero)
        return _CONVERT[bound.column.kind](values)
    except _Bad as bad:
        row = before + bad.index + 1
        raise BadStream(
            f"{file}, row {row}, column {bound.source!r}: {bad.why}",
            remedy=bad.remedy,
            file=file,
            row=row,
            column=bound.source,
        ) from None


def _text(values: Any) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_binary(values.type) or pa.types.is_nested(values.type):
        raise _Bad(0, f"{values.type} is not text", "map a column of text or numbers")
    texts = values if pa.types.is_string(values.type) else values.cast(pa.string())
    length = pc.binary_length(texts)
    _first(pc.is_null(texts), "it is empty", "fill it in or remove the row")
    _first(pc.equal(length, 0), "it is empty", "fill it in or remove the row")
    _first(pc.greater(length, MAX_TEXT), f"longer than {MAX_TEXT} bytes", "use shorter names")
    return texts


def _number(values: Any) -> F64:
    """float64[n], finite."""
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        _first(pc.is_null(values), "it is empty", "fill it in or remove the row")
        values = _parsed(values)
    elif not (_is_number(values.type)):
        raise _Bad(0, f"{values.type} is not a number", "map a column of numbers")
    _first(pc.is_null(values), "it is empty", "fill it in or remove the row")
    array = np.asarray(values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    _where(~np.isfinite(array), array, "is not a finite number", "remove or mend the row")
    return array


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    )


def _parsed(texts: Any, what: str = "a number", remedy: str = "write 12.50, not 12,50") -> pa.Array:
    try:
        return pc.utf8_trim_whitespace(texts).cast(pa.float64())
    except pa.ArrowInvalid:
        for index, text in enumerate(texts.to_pylist()):
            try:
                pa.array([text and text.strip()], pa.string()).cast(pa.float64())
            except pa.ArrowInvalid:
                raise _Bad(index, f"{text!r} is not {what}", remedy) from None
        raise


def _degrees(values: Any) -> pa.Array:
    array = _number(values)
    _where(np.abs(array) > 180, array, "is no degree", "give degrees, south and west negative")
    return pa.array(np.rint(array * 1e6).astype(np.int64))


def _code(values: Any) -> pa.Array:
    """As `_text`, but nothing is a text as well."""
    texts = values.dictionary_decode() if pa.types.is_dictionary(values.type) else values
    texts = pc.fill_null(texts.cast(pa.string()), "")
    _first(pc.greater(pc.binary_length(texts), MAX_TEXT), "is too long", "use shorter names")
    return texts


def _integer(values: Any) -> pa.Array:
    array = _number(values)
    _where(array != np.rint(array), array, "is not a whole number", "use whole numbers")
    _where(np.abs(array) > MAX_INTEGER, array, "is absurdly large", "check the unit")
    return pa.array(array.astype(np.int64))


def _amount(array: F64, scale: int, zero: bool) -> pa.Array:
    _where(array < 0, array, "is negative", "book a refund as a payment the other way")
    minor = np.rint(array * scale)
    if not zero:
        _where(minor < 1, array, "is no amount (smaller than one cent)", "remove the row")
    _where(minor > MAX_AMOUNT_MINOR, array, "is an absurd amount", "check the unit of amounts")
    if scale == 1:
        _where(array != minor, array, "is not a whole number", "map it as amount instead")
    return pa.array(minor.astype(np.int64))


def _time(values: Any) -> pa.Array:
    if pa.types.is_string(values.type):
        values = _timestamps(values)
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        _first(pc.is_null(values), "it is empty", "fill it in or remove the row")
        zone = getattr(values.type, "tz", None)
        values = values.cast(pa.timestamp("s", zone), safe=False).cast(pa.int64())
    array = _number(values)
    _where(array != np.rint(array), array, "is not a whole second", "round times to seconds")
    _where(array < 0, array, "is before 1970", "use seconds since 1970")
    _where(array >= MAX_TIME_S, array, "is an absurd time", "use seconds, not milliseconds")
    return pa.array(array.astype(np.int64))


def _timestamps(texts: Any) -> Any:
    """Texts such as 2024-01-31T12:00:00 (UTC, or with a zone) as timestamps, else as numbers."""
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return texts.cast(kind)
        except pa.ArrowInvalid:
            continue
    return _parsed(
        texts,
        "seconds since 1970 or a timestamp",
        "write all times alike, as 1706702400 or as 2024-01-31T12:00:00",
    )


def _label(values: Any) -> pa.Array:
    if pa.types.is_boolean(values.type):
        return values.cast(pa.int8())
    if pa.types.is_string(values.type):
        values = _parsed(pc.replace_substring_regex(values, "^$", "nan"))
    elif not (_is_number(values.type) or pa.types.is_null(values.type)):
        raise _Bad(0, f"{values.type} is no label", "map a column that holds 0, 1 or nothing")
    array = values.cast(pa.float64()).to_numpy(zero_copy_only=False)  # null becomes NaN
    unknown = np.isnan(array)
    fits = unknown | (array == 0) | (array == 1)
    _where(~fits, array, "is no label", "use 1 for the event, 0 for none, empty for unknown")
    return pa.array(np.where(unknown, 0, array).astype(np.int8), mask=unknown)


def _first(mask: Any, why: str, remedy: str) -> None:
    _where(np.asarray(mask.fill_null(False).to_numpy(zero_copy_only=False)), None, why, remedy)


def _where(mask: Any, array: F64 | None, why: str, remedy: str) -> None:
    """Raises _Bad for the first row of `mask` that is true."""
    if mask.any():
        index = int(mask.argmax())
        shown = "" if array is None else f"{array[index]:.15g} "
        raise _Bad(index, shown + why, remedy)


_CONVERT: dict[Kind, Callable[[Any], pa.Array]] = {
    Kind.TEXT: _text,
    Kind.TIME: _time,
    Kind.INTEGER: _integer,
    Kind.LABEL: _label,
    Kind.DEGREES: _degrees,
    Kind.CODE: _code,
}
_SCALE = {Kind.MONEY: 100, Kind.MINOR: 1}
