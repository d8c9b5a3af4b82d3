"""An Ethereum chain in this process: real blocks, exact gas, durable, no node to install.

chain.py      EmbeddedChain: open, call, batch, serve, close
executor.py   the port behind which the EVM stands;  pyevm.py  the EVM we use
miner.py      who sends, mines;  admission.py  what may enter a block
store.py      the SQLite file;  kv.py  the EVM's view of it
rpc.py        dispatch;  methods.py, queries.py, views.py, params.py, gas.py, faults.py
server.py     the same over HTTP, on a loopback address
"""

from veridict.chain.embedded.chain import EmbeddedChain

__all__ = ["EmbeddedChain"]
