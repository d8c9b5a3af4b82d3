"""A federation as its members run it: everyone the same, nobody in charge.

Reading order: rules (what was agreed), seat (the contract, as one member), shelf (what a member
keeps on disk), post (what members send each other), member (the plot: one step at a time).
"""
