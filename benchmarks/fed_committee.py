"""Prints what the committee's mode costs at 100,000 numbers, as JSON: CPU seconds, and bytes.

A process of its own, with one thread of BLAS: the others' spinning is no work.
"""

from __future__ import annotations

import json
from time import process_time

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from veridict.federated.committee.answers import added
from veridict.federated.committee.dealing import Dealt, deal
from veridict.federated.committee.proof import answer
from veridict.federated.fixed import Clip, encode, mean

LENGTH, MEMBERS, SEAT, CONTEXT = 100_000, 4, 0, bytes(32)


def main() -> None:
    rng = np.random.default_rng(0)
    keys = [Ed25519PrivateKey.generate() for _ in range(3)]
    seats = [key.public_key().public_bytes_raw() for key in keys]
    root = encode(rng.normal(size=LENGTH), Clip.of(1.0)).values
    updates = [encode(rng.normal(size=LENGTH), Clip.of(1.0)) for _ in range(MEMBERS)]
    began = process_time()
    bodies = [deal(mean(u.values, u.weight), u.weight, seats, CONTEXT, n)[0]
              for n, u in enumerate(updates)]  # fmt: skip
    dealt = process_time()
    held = []
    for number, body in enumerate(bodies):
        parts = Dealt.parse(body, CONTEXT, number, LENGTH)
        components = parts.unseal(keys[SEAT], SEAT)
        assert components is not None
        for component in components.values():
            answer(component.limbs, component.proof, root, parts.point)
        held.append(components)
    for number in held[0]:
        added([1 << 20] * MEMBERS, [each[number].low for each in held])
    seat = process_time() - dealt
    ratio = len(bodies[0]) / (4 * LENGTH)
    print(json.dumps({"deal_s": (dealt - began) / MEMBERS, "seat_s": seat, "ratio": ratio}))


if __name__ == "__main__":
    main()
