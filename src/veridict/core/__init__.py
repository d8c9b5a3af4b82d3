"""Nouns, canonical bytes, errors and ports. Standard library only."""
