"""Payments and credit."""
