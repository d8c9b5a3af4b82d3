"""What a model is shown live is, row by row, what it was trained on: late labels and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.card_fraud import DELAY_S, write
from veridict.apps.settings import Settings
from veridict.apps.wire import open_node
from veridict.models.image import image, pack
from veridict.services.demo.learn import learn
from veridict.services.watching import watch
from veridict.solutions.finance.payments import Payments


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Payments:
    path = write(tmp_path_factory.mktemp("cards"))
    return Payments.file(path, label_delay_s=DELAY_S, sets=("payments", "habits"))


def test_serving_equals_training_row_by_row_over_a_restart(cards: Payments, tmp_path: Path) -> None:
    rows = cards.load()
    trained_on = cards.extractor().batch(rows)  # each label along with its row, as in training
    assert not np.array_equal(
        trained_on, cards.extractor().batch(rows.unlabelled()), equal_nan=True
    ), "labels must matter, or this test shows nothing"
    with open_node(Settings(tmp_path), cards) as node:
        learn(node, cards, rows, lambda step: None)
        watch(node, rows.slice(0, 3100), cards.extractor())
    with open_node(Settings(tmp_path), cards) as node:
        again = watch(node, rows, cards.extractor())
        assert (again.seen_before, again.decided) == (3100, len(rows) - 3100)
        indices = node.log.find_requests(rows.ids)
        shown = [node.log.payload(index) for index in indices if index is not None]
    width, due = 8 * trained_on.shape[1], pack(image(trained_on))
    assert len(shown) == len(rows)
    for row, payload in enumerate(shown):
        assert payload is not None
        assert payload.inputs == due[row * width : (row + 1) * width], f"row {row}"
