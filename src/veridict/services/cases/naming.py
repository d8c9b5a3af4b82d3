"""How a report names people and accounts: as they are, or by numbers that stand for them.

Numbers are given in the order of appearance and kept nowhere, so that two redacted reports cannot
be laid side by side. What people wrote freely is withheld, and so is what opens a commitment.
"""

from __future__ import annotations

from typing import Protocol

WITHHELD = "withheld"


class Naming(Protocol):
    redacted: bool

    def account(self, name: str) -> str: ...

    def person(self, name: str) -> str: ...

    def payment(self, name: str) -> str: ...

    def thing(self, what: str, name: str) -> str:
        """A device or another thing that payments share."""

    def text(self, written: str) -> str:
        """What a person wrote."""


class Plain:
    """Everything as it is."""

    redacted = False

    def account(self, name: str) -> str:
        return name

    def person(self, name: str) -> str:
        return name

    def payment(self, name: str) -> str:
        return name

    def thing(self, what: str, name: str) -> str:
        return name

    def text(self, written: str) -> str:
        return written


class Numbered:
    """For those who may not know who it was."""

    redacted = True

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}

    def account(self, name: str) -> str:
        return self._number("account", name)

    def person(self, name: str) -> str:
        return self._number("officer", name)

    def payment(self, name: str) -> str:
        return self._number("payment", name)

    def thing(self, what: str, name: str) -> str:
        return self.account(name) if what == "account" else self._number(what, name)

    def text(self, written: str) -> str:
        return WITHHELD if written else ""

    def _number(self, what: str, name: str) -> str:
        if not name:
            return ""
        before = sum(kind == what for kind, _ in self._given)
        return self._given.setdefault((what, name), f"{what} {before + 1}")
