"""The page that lies beside a model's papers: what is what, and how to check it."""

from __future__ import annotations

from veridict.models.card import ModelCard
from veridict.models.papers.bom import SPEC_VERSION
from veridict.proofs.note import Verifier

PAGE = """\
# {title}

| file | what it is |
|---|---|
| `card.json` | the model card: data, period, features, measures by group, limits |
| `model.vdm` | the model, canonical bytes; its SHA-256 is the model id |
| `model.annex` | what each node expects; reasons are worked out with it |
| `bom.cdx.json` | bill of materials, CycloneDX {spec} |
{bundled}| `statement.intoto.json` | in-toto statement on all these files, signed by the log |

| | |
|---|---|
| model id | `{model_id}` |
| digest of the card | `{card}` |
| registered | chain {chain_id}, registry `{registry}` |
| signed by | `{key}` |

Check the files, with the key as its keeper publishes it:

    veridict model check . --key '{key}'
{verify}
Check that the card tells the truth, with the data and the chain:

    veridict audit model --papers . --rpc URL
"""

BUNDLED = """\
| `signing.pub` | a key of the node's on P-256, which the log's key vouches for by the statement |
| `model.sig` | the same statement as a Sigstore bundle, signed by that key |
"""

VERIFY = """
or with the tool of OpenSSF model signing:

    model_signing verify key . --signature model.sig --public_key signing.pub
"""


def readme(
    card: ModelCard, chain_id: int, registry: str, key: Verifier, bundled: bool = False
) -> bytes:
    return PAGE.format(
        title=card.title,
        spec=SPEC_VERSION,
        model_id=card.model_id,
        card=card.digest.hex(),
        chain_id=chain_id,
        registry=registry,
        key=key.vkey,
        bundled=BUNDLED if bundled else "",
        verify=VERIFY if bundled else "",
    ).encode()
