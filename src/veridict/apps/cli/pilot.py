"""`veridict pilot`: decide a stream, act on nothing, tell what would have happened."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from veridict.apps.cli.options import chosen_scenario, node_options, scenario_options, settings_of
from veridict.apps.cli.outlooks import show_outlooks
from veridict.apps.cli.render import console, drawn, print_json
from veridict.apps.wire import open_node
from veridict.services.watching import watch


@click.command()
@scenario_options
@node_options
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path),
              help="Write what would have been done as a page of HTML, too.")  # fmt: skip
@click.option("--report-only", is_flag=True, help="Decide nothing now; tell of what was seen.")
def pilot(
    scenario_name: str,
    data_name: str | None,
    stream: Path | None,
    mapping: str,
    home: Path | None,
    rpc: str | None,
    as_json: bool,
    page: Path | None,
    report_only: bool,
) -> None:
    """Predict and log a stream by the model at work, act on nothing, and report.

    Its records are trials: no guard takes them and they open no case. The stream's labels, where
    it has any, judge what would have been done; each row is predicted without its own.
    """
    from veridict.services.trial.page import page as written
    from veridict.services.trial.pilot import Pilot, piloted
    from veridict.watch.outlook import outlook

    settings = settings_of(home, rpc)
    scenario = chosen_scenario(settings, scenario_name, data_name, stream, mapping)
    rows = scenario.load()
    with open_node(settings, scenario) as node, drawn(as_json) as progress:
        if not report_only:
            watch(node, rows, scenario.extractor(), decider=Pilot(node), progress=progress)
            node.anchor()
        decided = piloted(node, scenario, rows)
    found = outlook(decided, scenario.costs)
    if page is not None:
        span = int(decided.times_s[0]), int(decided.times_s[-1])
        title = f"Pilot: {scenario.title}"
        text = written(found, title=title, notes=scenario.notices, from_s=span[0], to_s=span[1])
        page.write_text(text, encoding="utf-8")
    if as_json:
        print_json(asdict(found))
        return
    show_outlooks([found], "what would have been done; nothing was")
    if page is not None:
        console.print(f"written to {page}")
