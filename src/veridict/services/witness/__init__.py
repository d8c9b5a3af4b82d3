"""A witness: it cosigns heads of the logs it knows, never two that do not extend each other.

Reading order: desk (the protocol's checks, in order), store (what was cosigned last).
"""
