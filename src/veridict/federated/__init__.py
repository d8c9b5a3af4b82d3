"""Parties that train one model together: exact arithmetic, robust rules, masked sums.

Reading order: fixed (updates as integers), rules (one file each), masking (sums nobody can
open). Everything here is a pure function or a state machine without a network; the
services run rounds over it.
"""
