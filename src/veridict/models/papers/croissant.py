"""Reads a Croissant description of a data set (mlcommons.org/croissant, 1.0 and 1.1).

It is JSON-LD; what is read here is the form that the specification recommends
and publishers write: short names, or the prefixes `sc:`, `cr:` and `dct:`. Of
other forms of JSON-LD, and of what the specification requires and is not
there, the name is told.

A description is kept only if it pins the data: at least one file has a SHA-256.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, NoReturn

from veridict.core.codec import parse_json
from veridict.core.errors import BadInput
from veridict.models.source import HEX32, DataFile, DataSource, RecordSet

VERSIONS = ("1.0", "1.1")
SPEC = "mlcommons.org/croissant/"
MAX_BYTES = 4 << 20
MAX_TEXT = 2000
_PREFIXES = ("", "sc:", "cr:", "dct:", "https://schema.org/", "http://schema.org/")

Node = dict[str, Any]


def read_croissant(data: bytes) -> DataSource:
    """Raises BadInput, naming what is wrong, unless `data` is a Croissant description."""
    found = _document(data)
    if not _is(found, "Dataset"):
        _refuse("@type is not Dataset")
    _version(found)
    if "@context" not in found:
        _refuse("@context is missing")
    _text(found, "description", "the data set")
    files = _files(found)
    return DataSource(
        name=_text(found, "name", "the data set"),
        licences=_licences(found),
        url=_text(found, "url", "the data set"),
        croissant=sha256(data).hexdigest(),
        files=files,
        record_sets=tuple(_record_set(node) for node in _nodes(found, "recordSet")),
    )


def _document(data: bytes) -> Node:
    if len(data) > MAX_BYTES:
        _refuse(f"it is longer than {MAX_BYTES} bytes")
    try:
        found = parse_json(data, object_pairs_hook=_once)
    except ValueError as problem:
        raise BadInput(
            f"not a Croissant description: it is no JSON ({type(problem).__name__})",
            remedy="pass the data set's Croissant file as its publisher gives it",
        ) from problem
    if not isinstance(found, dict):
        _refuse("it is no JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> Node:
    """A name that stands twice has two readings, and a signature only one."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        _refuse(f"{next(n for n in names if names.count(n) > 1)[:80]!r} stands twice in one object")
    return found


def _version(found: Node) -> str:
    told = [_short(link) for link in _items(found, "conformsTo") if isinstance(link, str)]
    known = [link.removeprefix(SPEC).rstrip("/") for link in told if link.startswith(SPEC)]
    version = next((v for v in known if v in VERSIONS), None)
    if version is None:
        _refuse(f"conformsTo names none of {SPEC}{{{','.join(VERSIONS)}}}")
    return version


def _files(found: Node) -> tuple[DataFile, ...]:
    nodes = _nodes(found, "distribution")
    if not nodes:
        _refuse("distribution is missing")
    names = [_name(node, "a file") for node in nodes]
    for name in names:
        if names.count(name) > 1:
            _refuse(f"distribution has {name!r} twice")
    files = []
    for name, node in zip(names, nodes, strict=True):
        if _is(node, "FileSet"):
            continue  # a part of files that are pinned, or of nothing that can be
        if not _is(node, "FileObject"):
            _refuse(f"{name!r} is neither a FileObject nor a FileSet")
        digest = _get(node, "sha256")
        if digest is None:
            continue
        if not isinstance(digest, str) or HEX32.match(digest.lower()) is None:
            _refuse(f"the sha256 of {name!r} is no SHA-256 in hex")
        files.append(DataFile(name, digest.lower()))
    if not files:
        _refuse("no file has a sha256, so nothing says which data are meant")
    return tuple(files)


def _licences(found: Node) -> tuple[str, ...]:
    licences = []
    for item in _items(found, "license"):
        if isinstance(item, dict):
            item = next((v for k in ("url", "@id", "name") if (v := _get(item, k))), None)
        if not isinstance(item, str) or not item:
            _refuse("a license is no text or URL")
        licences.append(item[:MAX_TEXT])
    if not licences:
        _refuse("license is missing")
    return tuple(licences)


def _record_set(node: Node) -> RecordSet:
    if not _is(node, "RecordSet"):
        _refuse("a recordSet is no RecordSet")
    name = _name(node, "a record set")
    fields = []
    for field in _nodes(node, "field"):
        if not _is(field, "Field"):
            _refuse(f"record set {name!r} has a field that is no Field")
        fields.append(_name(field, f"a field of {name!r}").removeprefix(f"{name}/"))
    return RecordSet(name, tuple(fields))


def _name(node: Node, what: str) -> str:
    """`name`, or the `@id` that version 1.1 lets stand for it."""
    return _text(node, "@id" if _get(node, "name") is None else "name", what)


def _text(node: Node, name: str, what: str) -> str:
    value = _get(node, name)
    if not isinstance(value, str) or not value.strip():
        _refuse(f"{name} of {what} is missing or no text")
    return value.strip()[:MAX_TEXT]


def _nodes(node: Node, name: str) -> list[Node]:
    items = _items(node, name)
    if not all(isinstance(item, dict) for item in items):
        _refuse(f"{name} holds something that is no object")
    return list(items)


def _items(node: Node, name: str) -> Sequence[Any]:
    """One value or many: JSON-LD lets both stand."""
    value = _get(node, name)
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _get(node: Node, name: str) -> Any:
    return next((node[p + name] for p in _PREFIXES if p + name in node), None)


def _is(node: Node, kind: str) -> bool:
    kinds = [item for item in _items(node, "@type") if isinstance(item, str)]
    return any(_short(item) in (kind, f"schema.org/{kind}", SPEC + kind) for item in kinds)


def _short(link: str) -> str:
    for prefix in ("https://", "http://", "sc:", "cr:"):
        link = link.removeprefix(prefix)
    return link


def _refuse(why: str) -> NoReturn:
    raise BadInput(
        f"not a Croissant description: {why}",
        remedy=f"see the specification, {SPEC}{VERSIONS[-1]}",
    )
