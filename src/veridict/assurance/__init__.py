"""Tiers of assurance: how strongly a prediction is backed, one file each."""
