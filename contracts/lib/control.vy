#pragma version 0.4.3
"""
@title The human of a guard, and the stop
@license Apache-2.0
@notice One account, fixed for ever, that may stop what is automatic, and start it again.
"""

event Paused:
    human: indexed(address)


event Unpaused:
    human: indexed(address)


human: public(immutable(address))
paused: public(bool)


@deploy
def __init__(human_: address):
    assert human_ != empty(address), "Guard: human is nobody"
    human = human_


@external
def pause():
    """
    @notice Stop new payments and all automatic ones. What is held stays within the human's
            and, later, the payer's reach.
    """
    self.only_human()
    self.not_paused()
    self.paused = True
    log Paused(human=msg.sender)


@external
def unpause():
    """
    @notice Go on.
    """
    self.only_human()
    assert self.paused, "Guard: not paused"
    self.paused = False
    log Unpaused(human=msg.sender)


@internal
@view
def only_human():
    assert msg.sender == human, "Guard: caller is not the human"


@internal
@view
def not_paused():
    assert not self.paused, "Guard: paused"
