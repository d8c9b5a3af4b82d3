"""Secure aggregation: a group's sum, and nothing of its members (Bonawitz et al., CCS 2017).

    advertise   fresh keys, signed under the party's long-term key
    share       a share of both of its seeds for every other member, sealed
    mask        the update plus pads that cancel in the sum
    confirm     who is alive, signed: the same list by enough members, or nobody opens
    unmask      for the living the share of their own pad's seed, for the others of the pairs'

A member opens one kind of share of another, never both, and only against enough signatures
on one list. So neither the combiner nor anybody who names one member both alive and dead
gets an update. Every share is committed to by who dealt it: a lie is named.

Who must be honest: with a threshold of t = 2n/3 + 1 of n, fewer than 2t - n members plus any
combiner may be hostile for privacy, and n - t may fail for the round to end. The sum itself
is not hidden, and nobody checks that a member's update is within the norm bound: robust
rules work on the sums of several groups, or use the mode *committee*.

Reading order: session (who, and the signed messages), pads, shares, party, combiner, groups.
"""
