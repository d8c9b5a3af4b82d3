"""X.509 certificates for mutual TLS between parties that know each other's Ed25519 keys.

A certificate is signed by its own key. Nobody vouches for it: whoever connects compares the
key inside with the one that is registered elsewhere, such as on a chain.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import NameOID

from veridict.core.errors import BadInput
from veridict.proofs.signing import PrivateKey

# Not the time of a clock that may be wrong: what bounds a key's life is its registration.
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2120, 1, 1, tzinfo=UTC)


def self_signed(key: PrivateKey, name: str) -> str:
    """PEM. The same key and name give the same certificate, byte for byte."""
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.key.public_key())
        .serial_number(int.from_bytes(key.public[:16]) >> 1)
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    )
    made = builder.sign(key.key, None)
    return made.public_bytes(serialization.Encoding.PEM).decode()


def private_pem(key: PrivateKey) -> bytes:
    """PKCS #8, unencrypted: for a file that only its owner can read."""
    return key.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def key_in(pem: str) -> bytes:
    """The Ed25519 key, 32 bytes, of a certificate that it signed itself. Raises BadInput."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        public = certificate.public_key()
        certificate.verify_directly_issued_by(certificate)
    except Exception as error:  # cryptography raises many kinds for bytes from outside
        raise BadInput(
            f"this is no self-signed certificate: {error}",
            remedy="pass a member's card as it was made",
        ) from error
    if not isinstance(public, Ed25519PublicKey):
        raise BadInput("the certificate's key is not Ed25519", remedy="pass a member's own card")
    return public.public_bytes_raw()
