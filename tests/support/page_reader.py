"""A second implementation, written from docs/reference/canonical-model.md alone.

It imports nothing of veridict, walks the bytes as they lie, and multiplies
whole words modulo 2^256 as a contract does. It trusts the bytes.
"""

from __future__ import annotations

WORD, FULL = 32, 2**256


def u(data: bytes, at: int, size: int) -> int:
    return int.from_bytes(data[at : at + size], "big")


def signed(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "big", signed=True)


def recorded(data: bytes, inputs: bytes) -> int:
    values = scores(data, inputs)
    return values[0] if len(values) == 1 else values.index(max(values))


def scores(data: bytes, inputs: bytes) -> list[int]:
    n_outputs = data[7] + 1
    bases = [signed(data, at) for at in (20, *range(32, 32 + 8 * (n_outputs - 1), 8))]
    if data[5] == 1:
        return trees(data, inputs, bases)
    n_features = u(data, 8, 2)
    at = -(-(32 + 8 * (n_outputs - 1)) // WORD) * WORD
    x = [quantise(data, at + WORD * f, u(inputs, 8 * f, 8)) for f in range(n_features)]
    at += WORD * n_features
    return (linear if data[5] == 2 else mlp)(data, at, x, bases)


def trees(data: bytes, inputs: bytes, bases: list[int]) -> list[int]:
    length, number = u(data, 10, 2), 0
    for page in range(0, len(data), length):
        at = page if page else 24 + 8 * len(bases)
        n_trees, n_nodes = u(data, at, 2), u(data, at + 2, 2)
        leaves = at + 6 + 14 * n_nodes
        for root in range(at + 6, at + 6 + 14 * n_trees, 14):
            node = root
            while node < leaves:
                slot, bound = u(data, node, 2), u(data, node + 2, 8)
                value = (u(inputs, 8 * (slot >> 1), 8) - (slot & 1)) % 2**64
                node = page + u(data, node + (10 if value > bound else 12), 2)
            bases[number % len(bases)] += u(data, node, 8) - 2**63
            number += 1
    return bases


def quantise(data: bytes, at: int, image: int) -> int:
    limit, offset, missing, point = (u(data, at + i, 8) for i in (0, 8, 16, 24))
    if image == 0:
        return missing - 2**63
    sign, b = (1, image - 2**63) if image >= 2**63 else (-1, 2**63 - 1 - image)
    e, m = b >> 52, b % 2**52
    m += 2**52 if e else 0
    p = max(e, 1) - point
    v = sign * m << p if p >= 0 else (sign * m + (1 << -p - 1)) >> -p
    q = max(-(2**62), min(v, 2**62)) - (offset - 2**63)
    return max(-limit, min(q, limit))


def linear(data: bytes, at: int, x: list[int], bases: list[int]) -> list[int]:
    shift, n_outputs = u(data, 16, 4), len(bases)
    half = 2 ** (shift - 1) if shift else 0
    for k in range(n_outputs):
        stored = sum(q * u(data, at + 8 * (f * n_outputs + k), 8) for f, q in enumerate(x))
        bases[k] += (stored - 2**63 * sum(x) + half) >> shift
    return bases


def mlp(data: bytes, at: int, x: list[int], bases: list[int]) -> list[int]:
    bias = sum(2**31 << 32 * lane for lane in range(8))
    n_layers = u(data, 16, 4)
    for layer in range(1, n_layers + 1):
        neurons, shift, limit = (u(data, at + i, 8) for i in (0, 8, 16))
        words, at = -(-neurons // 8), at + WORD
        sums = [(u(data, at + WORD * w, WORD) - bias * sum(x)) % FULL for w in range(words)]
        at += WORD * words
        for value in x:
            sums = [(s + value * u(data, at + WORD * w, WORD)) % FULL for w, s in enumerate(sums)]
            at += WORD * words
        a = [(sums[j // 8] >> 32 * (7 - j % 8)) % 2**32 - 2**31 for j in range(neurons)]
        if layer == n_layers:
            return [base + (value << shift) for base, value in zip(bases, a, strict=True)]
        x = [min(max(value, 0) >> shift, limit) for value in a]
    raise AssertionError("a model without layers")
