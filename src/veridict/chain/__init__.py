"""EVM networks: a JSON-RPC client, contracts as Python objects, and a chain in the process.

Start at `client.Client`. It talks to any `core.ports.Rpc`: `http.HttpRpc` for a
network by URL, `embedded.EmbeddedChain` for the chain in this process.
"""
