"""Scenarios: what the platform is used for."""
