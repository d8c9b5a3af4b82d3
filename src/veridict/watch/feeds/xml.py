"""XML from strangers, read as a stream: no document types, no entities, bounded in every direction.

Expat alone would expand entities that a document declares ("billion laughs") and could be told to
fetch others; a document type is refused before it can declare anything.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat

from veridict.watch.feeds.normal import unfit

MAX_BYTES = 8 << 20
MAX_DEPTH = 64
MAX_TEXT = 4096  # characters of one element or attribute that anybody reads

Path = tuple[str, ...]  # local names, from the root


class Walk:
    """Calls `opened(path, attributes)` and `closed(path, text)`; namespaces are left out.

    `namespace` of the innermost element that was opened is `self.namespace`.
    """

    def __init__(
        self,
        opened: Callable[[Path, dict[str, str]], None],
        closed: Callable[[Path, str], None],
    ) -> None:
        self._opened, self._closed = opened, closed
        self._path: list[str] = []
        self._text: list[list[str]] = []
        self._parents: set[int] = set()  # depths at which an element has elements inside
        self.namespace = ""

    def read(self, data: bytes) -> None:
        """The whole document. Raises BadInput with `drop`: "message.large" or "message.bad"."""
        if len(data) > MAX_BYTES:
            raise unfit("message.large", f"{len(data)} bytes", f"send up to {MAX_BYTES} bytes")
        parser = expat.ParserCreate(namespace_separator="\n")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            parser.Parse(data, True)
        except expat.ExpatError as problem:
            raise unfit("message.bad", f"no XML: {problem}", "send a well-formed message") from None
        except (ValueError, LookupError) as problem:  # an encoding that does not exist
            raise unfit("message.bad", f"no XML: {problem}", "send it in UTF-8") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= MAX_DEPTH:
            raise unfit("message.bad", f"deeper than {MAX_DEPTH}", "send a flatter message")
        self.namespace, _, local = name.rpartition("\n")
        self._parents.add(len(self._path))
        self._path.append(local)
        self._text.append([])
        self._opened(tuple(self._path), attributes)

    def _characters(self, text: str) -> None:
        if self._text:
            self._text[-1].append(text[:MAX_TEXT])

    def _end(self, name: str) -> None:
        text = "".join(self._text.pop())[:MAX_TEXT].strip()
        path, depth = tuple(self._path), len(self._path)
        self._path.pop()
        if depth in self._parents and text:
            raise unfit("message.bad", f"text between elements of {name[-40:]!r}", "send it whole")
        self._parents.discard(depth)
        self._closed(path, text)


def _refuse_doctype(*_: object) -> None:
    raise unfit("message.bad", "it has a document type", "send it without DOCTYPE")
