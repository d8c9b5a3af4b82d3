"""What a member's updates have cost so far. Written down before an update leaves, never after.

The count is in the member's own file, and each release also in its journal: a log in which
nothing can be changed afterwards. A member that was killed between the two and its commitment
has spent without having shown anything; the other way round cannot be.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from veridict.core.errors import BadInput, Refused
from veridict.federated.fixed import Update
from veridict.federated.learners.learner import Rows
from veridict.federated.privacy.private import Private
from veridict.services.federation.promise import cost, keeps
from veridict.services.federation.records import PrivacyRecord
from veridict.services.federation.shelf import Shelf

Journal = Callable[[PrivacyRecord], None]  # durable on return


class Spending:
    """One member's. Raises BadInput where the rules promise more than they keep."""

    def __init__(
        self,
        private: Private,
        rows: Rows,
        shelf: Shelf,
        federation: str,
        member: int,
        journal: Journal,
    ) -> None:
        keeps(private)
        if private.guard.unit == "row" and len(rows) < private.guard.rows_min:
            raise BadInput(
                f"{len(rows)} rows, where the rules count on {private.guard.rows_min}",
                remedy="bring more rows, or agree on a smaller `rows_min`",
            )
        self._private, self._shelf, self._journal = private, shelf, journal
        self._federation, self._member = federation, member

    @property
    def epsilon(self) -> float:
        """Spent so far."""
        return cost(self._private.guard, self._shelf.spent())

    @property
    def over(self) -> bool:
        """Whether one more update would break the promise."""
        guard = self._private.guard
        return cost(guard, self._shelf.spent() + 1) > guard.epsilon * (1 + 1e-9)

    def guarded(self, state: bytes, update: Update) -> Update:
        """With noise. Nothing is spent while it stays here. Raises Refused at the budget."""
        if self.over:
            raise Refused(
                "this party's budget of epsilon is spent",
                remedy="nothing more may leave; the federation goes on without",
                reason="privacy budget spent",
            )
        return self._private.guarded(state, update)

    def spend(self, round_: int) -> PrivacyRecord:
        """Call before what was `guarded` leaves."""
        releases, guard = self._shelf.spend(round_), self._private.guard
        record = PrivacyRecord(
            federation=self._federation,
            member=self._member,
            round=round_,
            releases=releases,
            unit=guard.unit,
            noise=guard.noise,
            epsilon=f"{cost(guard, releases):.6f}",
            delta=repr(guard.delta),
            budget=repr(guard.epsilon),
            time_ms=time.time_ns() // 1_000_000,
        )
        self._journal(record)
        return record
