"""Merkle proofs, signed notes and checkpoints. Pure: bytes in, a verdict out."""
