"""Guarded controllers: forecasts of what a chain will charge, and what to do about them."""
