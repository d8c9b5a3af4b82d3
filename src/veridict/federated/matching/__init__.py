"""Private matching: which records two parties have in common, and nothing of the others.

points    identifiers as points of a group
matching  the two messages of each party, and what each learns
"""
