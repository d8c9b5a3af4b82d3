"""What the features of the graph mean and how each reads; `graph_kernel` computes them."""

from __future__ import annotations

from veridict.watch.features.names import Feature

DAYS = 30


def _fans(who: str) -> tuple[Feature, ...]:
    return (
        Feature(f"{who}_fan_out", f"the {who} paid {{v:.0f}} accounts"),
        Feature(f"{who}_fan_in", f"{{v:.0f}} accounts paid the {who}"),
        Feature(f"{who}_payments_out", f"the {who} paid {{v:.0f}} times"),
        Feature(f"{who}_payments_in", f"the {who} was paid {{v:.0f}} times"),
    )


GRAPH: tuple[Feature, ...] = (
    *_fans("payer"),
    *_fans("payee"),
    Feature("cycles_2", "the payment closes {v:.0f} cycles of two accounts"),
    Feature("cycles_3", "the payment closes {v:.0f} cycles of three accounts"),
    Feature("cycles_4", "the payment closes {v:.0f} cycles of four accounts"),
    Feature("cycles_5", "the payment closes {v:.0f} cycles of five accounts"),
    Feature("cycles_6_10", "the payment closes {v:.0f} cycles of six to ten accounts"),
    Feature("shortest_cycle", "the shortest cycle has {v:.0f} accounts", "it closes no cycle"),
    Feature("scatter_2", "{v:.0f} scatter-gathers by two ways run through the payment"),
    Feature("scatter_3", "{v:.0f} scatter-gathers by three ways run through the payment"),
    Feature("scatter_4", "{v:.0f} scatter-gathers by four ways or more run through the payment"),
    Feature("searches_cut", "{v:.0f} searches for patterns ended at their limit"),
    Feature(
        "payer_hops_from_label",
        "the payer's money comes from a listed account in {v:.0f} hops",
        "no way from a listed account is known",
    ),
    Feature(
        "payee_hops_from_label",
        "the payee's money comes from a listed account in {v:.0f} hops",
        "no way from a listed account is known",
    ),
    Feature(
        "payer_hops_to_label",
        "the payer's money went to a listed account in {v:.0f} hops",
        "no way to a listed account is known",
    ),
    Feature(
        "payee_hops_to_label",
        "the payee's money went to a listed account in {v:.0f} hops",
        "no way to a listed account is known",
    ),
    Feature("payer_taint", "a share of {v:.3f} of the payer's receipts came from listed accounts"),
    Feature("payee_taint", "a share of {v:.3f} of the payee's receipts came from listed accounts"),
)
