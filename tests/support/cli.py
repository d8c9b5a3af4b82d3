"""The command line run inside the test's process, as a shell sees it: status, stdout, stderr."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from veridict.apps.cli.main import main


@dataclass(frozen=True, slots=True)
class Ran:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line that was printed; progress never stands on stdout with --json."""
        return json.loads(self.out.splitlines()[-1])


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Ran:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    status = ended.value.code
    return Ran(status if isinstance(status, int) else 0, out, err)
