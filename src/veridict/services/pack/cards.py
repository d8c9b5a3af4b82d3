"""The cards of the models that a log registered."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.core.errors import VeridictError
from veridict.models.card import ModelCard
from veridict.services.audit.walk import Row
from veridict.services.records import ModelRecord


class Cards(dict[str, ModelCard]):
    """By model id, in the order of registration; filled while the rows go by."""

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, ModelRecord):
                try:
                    self[row.record.model_id] = row.record.model_card()
                except VeridictError:
                    continue  # the audit's check of models names it
