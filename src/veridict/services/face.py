"""How a node's subject reads to people: words and sentences, no behaviour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from veridict.core.nouns import Decision, Request


@dataclass(frozen=True, slots=True)
class Face:
    """`reason(feature number, value)` is a sentence, `value` of the same its value alone;
    `summary(request)` a few words; `whom` a request is about, e.g. "payer".
    """

    name: str
    title: str
    words: dict[str, str]
    notices: tuple[str, ...]
    reason: Callable[[int, float], str]
    summary: Callable[[Request], str] = field(default=lambda request: request.id)
    value: Callable[[int, float], str] = field(default=lambda feature, value: f"{value:g}")
    whom: str = "subject"


def plain_face(feature_names: tuple[str, ...] = ()) -> Face:
    """The face of a node that was told nothing of its subject."""

    def reason(feature: int, value: float) -> str:
        name = feature_names[feature] if feature < len(feature_names) else f"feature {feature}"
        return f"{name} is {value:g}"

    return Face(
        name="model",
        title="Predictions",
        words={decision.word: decision.word for decision in Decision},
        notices=(),
        reason=reason,
    )
