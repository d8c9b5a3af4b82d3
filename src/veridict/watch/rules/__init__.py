"""Rules that people write: read, checked, tried on history, and run like any detector."""
