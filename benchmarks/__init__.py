"""Measured figures: one file a subject, each with `run() -> list[Row]`; see __main__."""
