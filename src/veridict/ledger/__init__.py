"""The append-only log: durable records, checkpoints, anchors and proofs over SQLite.

Reading order: log and view (the face), entry, writer (group commit), store and schema (SQLite),
tiles (the tree on disk), heads (checkpoints, anchors, states), verify (the replay).
"""
