"""veridict: machine learning whose every prediction can be checked.

compiled = veridict.compile(estimator)                # floats → exact integers
card = veridict.card(compiled, title="churn", review_at=0.5, hold_at=0.9, X=X, y=y)
with veridict.open_node("home") as node:              # log, chain, contracts
    node.register(compiled.working, card)             # bytes and card on chain
    made = node.predict(X)                            # each row a durable record
    node.anchor()                                     # its root on chain
    receipt = node.receipt(made[0].index)
receipt.verify("http://127.0.0.1:8545")               # by anyone, with the chain alone
veridict.FederatedClassifier().fit(X, y, groups=bank) # silos that train one model together
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from veridict.core.version import VERSION

if TYPE_CHECKING:
    from veridict.apps.api import Compiled, Node, Receipt, card, compile, open_node
    from veridict.apps.federating.classifier import FederatedClassifier

__version__ = VERSION
__all__ = [
    "Compiled",
    "FederatedClassifier",
    "Node",
    "Receipt",
    "__version__",
    "card",
    "compile",
    "open_node",
]


def __getattr__(name: str) -> Any:
    """The public names, imported when they are used: `import veridict` stays instant."""
    if name == "FederatedClassifier":
        from veridict.apps.federating.classifier import FederatedClassifier

        return FederatedClassifier
    if name in __all__:
        from veridict.apps import api

        return getattr(api, name)
    raise AttributeError(f"module 'veridict' has no attribute {name!r}")
