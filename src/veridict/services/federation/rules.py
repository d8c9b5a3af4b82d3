"""What a federation agrees on before it begins. The contract holds this document's SHA-256.

Times are seconds, money is wei. A public root batch, whose digest stands here, is what the
default rule trusts. Rewards follow the parts that the rule gave.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal

import msgspec

from veridict.core.codec import canonical_json
from veridict.core.errors import BadInput
from veridict.federated.learners import Learner, Scale, learner_of
from veridict.federated.learners.arrays import arrays_of
from veridict.federated.learners.learner import Rows
from veridict.federated.learners.prepared import Prepared
from veridict.federated.rules import Rule, rule_named
from veridict.federated.rules.combined import CombinedRule
from veridict.federated.statistics import Feature
from veridict.services.federation.promise import PrivacyRule

Setting = int | str
Mode = Literal["open", "masked", "committee"]


class FeatureRule(msgspec.Struct, frozen=True):
    """`low` and `high` as decimal text."""

    name: str
    low: str
    high: str


class Windows(msgspec.Struct, frozen=True):
    """Seconds. `vote_s` is for the committee, and then as long again for stand-bys."""

    commit_s: int = 60
    reveal_s: int = 30
    vote_s: int = 30
    challenge_s: int = 60


class FederationRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`settings`: the learner's, floats as decimal text. `rows_max`: of the largest party."""

    name: str
    label: str
    features: tuple[FeatureRule, ...]
    rows_max: int
    root: str  # SHA-256 of the root batch, hex
    learner: str = "logistic"
    settings: dict[str, Setting] = {}
    mode: Mode = "open"
    rule: str = "trust"
    faulty: int = 1
    group: int = 4
    bins: int = 32
    stake: int = 10**16
    fine: int = 10**15
    reward: int = 0
    least: int = 3
    windows: Windows = Windows()
    privacy: PrivacyRule | None = None  # none: updates say of rows what they say

    @property
    def digest(self) -> bytes:
        return sha256(self.encode()).digest()

    def encode(self) -> bytes:
        document = msgspec.to_builtins(self)
        # Wei may be above 2^53, beyond which canonical JSON has no integers.
        document |= {name: str(document[name]) for name in _MONEY}
        if self.privacy is None:
            del document["privacy"]
        return canonical_json(document)

    @classmethod
    def decode(cls, data: bytes) -> FederationRules:
        """Raises BadInput, naming what is wrong."""
        try:
            document = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
            for name in _MONEY:
                if name in document:
                    document[name] = msgspec.Raw(bytes(document[name]).strip(b'"'))
            rules = msgspec.json.decode(msgspec.json.encode(document), type=cls)
        except msgspec.MsgspecError as error:
            raise BadInput(
                f"these are no federation's rules: {error}",
                remedy="begin with `veridict federate rules`, and change what you need",
            ) from error
        rules.check()
        return rules

    def check(self) -> None:
        """Raises BadInput for what cannot be run."""
        self.learner_()
        if self.learner == "arrays" and (self.privacy or self.rule == "trust"):
            raise BadInput(
                "arrays that parties' own code trains, under the rule trust or with privacy",
                remedy="choose another rule: nobody else can train on a root batch, nor bound rows",
            )
        if self.privacy and self.privacy.noise == "shared" and self.mode != "masked":
            raise BadInput(
                f"shared noise in the mode {self.mode}, which tells of each update alone",
                remedy="choose the mode masked, or local noise",
            )
        if self.mode == "committee" and not isinstance(self.rule_(), CombinedRule):
            raise BadInput(
                f"a committee cannot apply the rule {self.rule}",
                remedy="choose trust or mean: they need no more of an update than a committee "
                "may know",
            )

    def learner_(self) -> Learner:
        """Raises BadInput for an unknown learner or setting."""
        if self.learner == "arrays":
            return arrays_of(self.settings, self.rows_max)
        features = [
            Feature(each.name, _decimal(each.low), _decimal(each.high)) for each in self.features
        ]
        if not features:
            raise BadInput("a federation without features", remedy="name at least one")
        settings = {name: _number(value) for name, value in self.settings.items()}
        dummy = Scale(("x",), (0.0,), (1.0,), ((0.0,),), 1)
        learner_of(self.learner, settings, dummy)  # settings are refused now, not in round three
        if self.privacy is not None:
            names = tuple(each.name for each in features)
            scale = self.privacy.scale.scale(names, self.rows_max)
            return self.privacy.over(learner_of(self.learner, settings, scale), self.rows_max)
        return Prepared(
            features,
            self.rows_max,
            lambda scale: learner_of(self.learner, settings, scale),
            self.bins,
        )

    def rule_(self) -> Rule:
        return rule_named(self.rule, self.faulty)

    def words(self, start: bytes) -> tuple[object, ...]:
        """The contract's constructor argument."""
        windows = self.windows
        return (
            self.digest,
            start,
            self.stake,
            self.fine,
            self.reward,
            self.least,
            windows.commit_s,
            windows.reveal_s,
            windows.vote_s,
            windows.challenge_s,
            self.mode == "open",
        )


_MONEY = ("stake", "fine", "reward")


def root_digest(rows: Rows) -> str:
    """SHA-256 of the features as big-endian float64 and the labels as bytes, hex."""
    shape = len(rows).to_bytes(8, "big") + rows.features.shape[1].to_bytes(8, "big")
    return sha256(shape + rows.features.astype(">f8").tobytes() + rows.labels.tobytes()).hexdigest()


def _number(value: Setting) -> int | float:
    return value if isinstance(value, int) else _decimal(value)


def _decimal(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise BadInput(f"{text!r} is no number", remedy="write it as decimal text") from error
