"""Canonical integer models: one model, the same bits in every runtime."""
