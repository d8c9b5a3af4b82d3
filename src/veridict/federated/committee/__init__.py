"""A committee of three measures and adds updates that none of its members can read.

A member splits its update into three components that add up to it, and gives each seat of the
committee two of them: seat s holds components s and s + 1. Any two seats together could read
the update, one alone learns nothing. All that is asked of the components is linear, so what a
seat answers for a component must be what the other holder of it answers: a lie is found.

    deal      components of the update and of a proof of its norm; sealed for the seats
    measure   each seat: its components' part of the norm, the cosine, the proof's check
    open      everybody: the parts of three components add up to norm² and inner product
    combine   the rule makes public coefficients of them
    add       each seat: its components of Σ coefficient·update; three of them give the sum

The proof of the norm is a fully linear one (Boneh et al., "Zero-Knowledge Proofs on
Secret-Shared Data", CRYPTO 2019; the use is that of Prio, Corrigan-Gibbs and Boneh, NSDI 2017).
Replication in threes is that of Araki et al., CCS 2016.

Who must be honest: for privacy, no two of those who hold different seats collude. For the
result one liar is found and outvoted; two holders of a component who tell the same lie are not.

What becomes public: each update's weight, its norm and inner product with the root's update
(exactly), and the weighted sum. Nothing else.

Reading order: field, proof, components, dealing, answers.
"""
