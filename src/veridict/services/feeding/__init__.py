"""Payments followed from any feed: decided once each, explained, logged.

`records` are what is logged beside predictions, `watcher` decides, `memory` is what it remembers
and how that comes back after a cut, `follow` the loop over a feed, `tally` what became of it.
"""
