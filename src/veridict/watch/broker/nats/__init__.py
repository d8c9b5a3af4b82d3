"""NATS JetStream as the broker (extra `nats`)."""

from veridict.watch.broker.nats.broker import NatsBroker

__all__ = ["NatsBroker"]
