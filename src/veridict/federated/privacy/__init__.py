"""Differential privacy of what a party lets out: how much noise, what it costs, when it is over.

guard       what the rules promise each row or party
gaussian    whole-number noise, exactly
private     a learner whose updates leave room for noise, and the noise
accounting  what the releases so far cost, by privacy loss distributions (extra `privacy`)
"""
