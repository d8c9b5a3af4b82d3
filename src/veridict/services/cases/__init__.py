"""Cases: what people do with the predictions that wait for them, told by the log alone.

`records` are what is logged, `book` what they add up to, `desk` the acts, `known` and `links` how
cases hang together, `suppressing` how a cleared one stops its children, `report` what is handed on.
"""
