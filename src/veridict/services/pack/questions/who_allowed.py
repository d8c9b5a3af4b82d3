"""8: who allowed it? The owner of the model, the thresholds he set, the people who acted."""

from __future__ import annotations

from collections.abc import Sequence

from veridict.chain.contract import Contract
from veridict.core.errors import VeridictError
from veridict.core.nouns import Check, Policy
from veridict.services.audit.walk import Row
from veridict.services.deploy import Network
from veridict.services.pack.answers import NO_CHAIN, Answer, Case, Told, picked, short
from veridict.services.pack.settled import Settlements
from veridict.services.records import ModelRecord

SHOWN = 12  # people and acts, the most frequent ones


class WhoAllowed:
    asked = "Who allowed it?"

    def __init__(self, case: Case, settled: Settlements) -> None:
        self._case, self._settled = case, settled
        self._policies: dict[str, Policy] = {}

    def see(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if isinstance(row.record, ModelRecord):
                try:
                    self._policies[row.record.model_id] = row.record.model_card().policy
                except VeridictError:
                    continue  # the audit's check of models names it

    def answer(self, number: int, checks: Sequence[Check]) -> Answer:
        evidence = [Told("operator", f"{self._case.operator} keeps this log")]
        findings = list(picked(checks[8], "act."))
        for model_id, policy in self._policies.items():
            evidence.append(
                Told(
                    f"thresholds of {short(model_id)}",
                    f"review from {policy.review_at}, hold from {policy.hold_at}, on its card",
                )
            )
        evidence.append(Told("people", self._acts()))
        unasked = []
        if self._case.network is None:
            unasked.append("who registered the models and released payments: " + NO_CHAIN)
        else:
            evidence += self._owners(self._case.network)
            evidence += [line for guard in self._case.guards for line in self._guard(guard)]
            findings += self._settled.unproven_acts()
        examined = len(self._policies) + len(self._settled.acts)
        return Answer(
            number, self.asked, examined, tuple(evidence), tuple(findings), tuple(unasked)
        )

    def _acts(self) -> str:
        people = self._settled.people
        if not people:
            return "nobody has acted on a case yet"
        told = [f"{many:,} × {act} by {by}" for (act, by), many in people.most_common(SHOWN)]
        said = ", ".join([*told, *(["others"] if len(people) > SHOWN else [])])
        proven = sum(act.tx_hash is not None for _, act in self._settled.acts)
        return f"{said}, about predictions in the log; {proven:,} moved tokens"

    def _owners(self, network: Network) -> list[Told]:
        found = []
        for model_id in self._policies:
            owner = network.registry.call("model", bytes.fromhex(model_id))[0]
            found.append(Told(f"owner of {short(model_id)}", f"{owner}, as the registry has it"))
        return found

    def _guard(self, guard: Contract) -> list[Told]:
        human, review_at, hold_at = (guard.call(n) for n in ("human", "review_at", "hold_at"))
        policy = self._policies.get(guard.call("model_id").hex())
        same = policy is not None and (policy.review_at, policy.hold_at) == (review_at, hold_at)
        how = "the card's" if same else f"its own: review from {review_at}, hold from {hold_at}"
        return [Told(f"guard {guard.address}", f"its human is {human}, its thresholds are {how}")]
