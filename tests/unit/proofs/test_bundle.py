"""Sigstore bundles with a public key: who signed what, and bundles that another tool made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from veridict.core.errors import BadInput, EvidenceError, StorageFailed
from veridict.proofs.bundle import Bundle, BundleKey
from veridict.proofs.dsse import frame

KIND, PAYLOAD = "application/vnd.in-toto+json", b'{"a":1}\n'
# Made by model_signing 1.1.1, `model_signing sign key`, of a directory with one file.
FOREIGN = Path(__file__).parents[2] / "vectors" / "model_signing"


def _code(data: bytes, key: bytes) -> str:
    with pytest.raises(EvidenceError) as refused:
        Bundle.decode(data).verify(key)
    return str(refused.value.facts["finding"])


def test_a_bundle_is_verified_by_its_key_alone() -> None:
    key = BundleKey.generate()
    made = Bundle.sign(key, KIND, PAYLOAD)
    assert made.encode() == Bundle.sign(key, KIND, PAYLOAD).encode()  # deterministic
    assert Bundle.decode(made.encode()) == made
    made.verify(key.public_pem)
    public = serialization.load_pem_public_key(key.public_pem)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    ((_, signature),) = made.envelope.signatures
    public.verify(signature, frame(KIND, PAYLOAD), ec.ECDSA(hashes.SHA256()))
    assert _code(made.encode(), BundleKey.generate().public_pem) == "bundle.signature"
    assert _code(made.encode(), b"no key") == "bundle.signature"


def test_another_payload_type_or_signature_is_refused() -> None:
    key = BundleKey.generate()
    made = json.loads(Bundle.sign(key, KIND, PAYLOAD).encode())

    def changed(**fields: Any) -> bytes:
        return json.dumps({**made, "dsseEnvelope": {**made["dsseEnvelope"], **fields}}).encode()

    (signature,) = made["dsseEnvelope"]["signatures"]
    assert _code(changed(payload="e30K"), key.public_pem) == "bundle.signature"
    assert _code(changed(payloadType="text/plain"), key.public_pem) == "bundle.signature"
    assert _code(changed(signatures=[signature] * 2), key.public_pem) == "bundle.signature"
    assert _code(changed(signatures=[]), key.public_pem) == "dsse.malformed"
    assert _code(changed(payload=1), key.public_pem) == "dsse.malformed"


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[" * 100_000, b'{"mediaType":"x"}', b"{" + b" " * (5 << 20) + b"}",
     b'{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{},'
     b'"verificationMaterial":{"publicKey":{"hint":7}}}'],
    ids=["nothing", "empty", "deep", "other", "long", "hint"],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(data: bytes) -> None:
    assert _code(data, BundleKey.generate().public_pem) == "bundle.malformed"


def test_a_bundle_of_the_other_tool_is_verified() -> None:
    bundle = Bundle.decode((FOREIGN / "model.sig").read_bytes())
    bundle.verify((FOREIGN / "signing.pub").read_bytes())
    statement = json.loads(bundle.envelope.payload)
    assert statement["predicateType"] == "https://model_signing/signature/v1.0"


def test_the_key_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "home" / "signing.pem"
    key = BundleKey.load_or_create(path)
    assert BundleKey.load_or_create(path).public_pem == key.public_pem
    assert path.stat().st_mode & 0o777 == 0o600
    assert "PRIVATE" not in repr(key)
    path.chmod(0o644)
    with pytest.raises(StorageFailed):
        BundleKey.load_or_create(path)
    path.chmod(0o600)
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    for wrong in (b"", b"-----BEGIN PRIVATE KEY-----\n", other):
        path.write_bytes(wrong)
        with pytest.raises(BadInput):
            BundleKey.load_or_create(path)
