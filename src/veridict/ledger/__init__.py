"""The append-only log: durable records, checkpoints, anchors and proofs over SQLite."""
