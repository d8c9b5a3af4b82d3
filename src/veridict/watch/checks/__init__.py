"""Checks of data for what would make a model look better than it is: one file a kind of trap."""
