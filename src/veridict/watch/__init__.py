"""Watching a stream: its normal form, its features, the model trained on it."""
