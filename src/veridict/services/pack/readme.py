"""The page that lies in a pack for whoever opens it with a ZIP tool."""

from __future__ import annotations

from veridict.services.pack.layout import About

PAGE = """\
# Audit pack of {origin}

Format {format}. {size} records, payloads of records {first} to {last} open.
The open payloads are personal data: keep this file as such, and delete it when you are done.

| | |
|---|---|
| signed by | `{vkey}` |
| operator | `{operator}` |
{chains}

| what | where |
|---|---|
| the log, as https://c2sp.org/tlog-tiles publishes it | `log/` |
| every signed head, with its cosignatures | `checkpoints/` |
| what opens the records' commitments | `payloads/` |
| the models: bytes, annex, card, bill of materials, signed statement | `models/` |
| heads stored on chains, as the keeper noted them | `anchors.json` |
| measures by group, as the keeper tells them | `metrics.json` |

Check the files with what every system has:

    sha256sum --check SHA256SUMS

Answer the ten questions, with the key and the operator as you know them from elsewhere:

    veridict audit verify PACK --rpc URL --vkey KEY --operator ADDRESS

What these words claim is proved by none of them: trust the answers, not the pack.
"""


def readme(about: About) -> bytes:
    chains = "\n".join(
        (
            f"| chain {about.home.chain_id} | registry `{about.home.registry}`, "
            f"anchors `{about.home.anchor}` |",
            *(f"| chain {place.chain_id} | anchors `{place.contract}` |" for place in about.places),
        )
    )
    return PAGE.format(
        origin=about.origin,
        format=about.format,
        size=about.size,
        first=about.opened[0],
        last=max(about.opened[1] - 1, about.opened[0]),
        vkey=about.vkey,
        operator=about.operator,
        chains=chains,
    ).encode()
