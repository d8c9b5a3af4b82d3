"""Every error veridict raises, by who must act.

    VeridictError
    ├── CallerError      the request is wrong: change it              exit 2   HTTP 4xx
    │   ├── BadInput         malformed or out of range                         400
    │   ├── BadStream        a data file or stream breaks its contract         422
    │   ├── UnsupportedModel cannot be represented canonically                 422
    │   ├── BadModelBytes    not a canonical model                             422
    │   ├── NotFound         no such thing                                     404
    │   ├── NotAllowed       token or role missing                             403
    │   └── Refused          a contract or a rule said no                      409
    ├── OperatorError    the surroundings fail: mend them, run again  exit 3   HTTP 503
    │   ├── RpcUnavailable   the chain does not answer
    │   ├── PeerUnavailable  a witness or a published log does not answer
    │   ├── WrongChain       it answers, but is another chain
    │   ├── NoFunds          the operator's account cannot pay
    │   ├── StorageFailed    disk full, permission lost, file damaged (507)
    │   ├── NodeRunning      another process holds this data directory (409)
    │   ├── Busy             more is asked than can be done: the same again, later
    │   ├── ClockBehind      the clock went back behind the log's last record
    │   └── MissingPart      an optional component is not installed (501)
    └── EvidenceError    a check failed: nobody retries, it is a finding  exit 4  HTTP 409

Each instance says what is wrong (`message`), what to do (`remedy`), and carries
the facts as fields; `code` is stable and safe to match on.
"""

from __future__ import annotations

from typing import ClassVar

Fact = str | int | bool | None


class VeridictError(Exception):
    """Base of all errors; raise one of the leaves."""

    code: ClassVar[str] = "veridict.error"
    exit_status: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, remedy: str, **facts: Fact) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.facts = facts

    def as_dict(self) -> dict[str, object]:
        """The error as the CLI's `--json` and the HTTP API print it."""
        return {
            "error": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "facts": dict(self.facts),
        }


class CallerError(VeridictError):
    code = "caller.error"
    exit_status = 2
    http_status = 400


class BadInput(CallerError):
    code = "input.bad"


class BadStream(CallerError):
    code = "stream.bad"
    http_status = 422


class UnsupportedModel(CallerError):
    code = "model.unsupported"
    http_status = 422


class BadModelBytes(CallerError):
    code = "model.bad-bytes"
    http_status = 422


class NotFound(CallerError):
    code = "not-found"
    http_status = 404


class NotAllowed(CallerError):
    code = "not-allowed"
    http_status = 403


class Refused(CallerError):
    """A contract reverted or a rule forbids it; `facts["reason"]` is the reason given."""

    code = "refused"
    http_status = 409


class OperatorError(VeridictError):
    code = "operator.error"
    exit_status = 3
    http_status = 503


class RpcUnavailable(OperatorError):
    code = "chain.unavailable"


class PeerUnavailable(OperatorError):
    code = "peer.unavailable"


class WrongChain(OperatorError):
    code = "chain.wrong"


class NoFunds(OperatorError):
    code = "chain.no-funds"


class StorageFailed(OperatorError):
    code = "storage.failed"
    http_status = 507


class NodeRunning(OperatorError):
    code = "node.running"
    http_status = 409


class Busy(OperatorError):
    """Nothing was done; the same request may be sent again after a second."""

    code = "node.busy"


class ClockBehind(OperatorError):
    code = "clock.behind"


class MissingPart(OperatorError):
    code = "part.missing"
    http_status = 501


class EvidenceError(VeridictError):
    """Evidence does not hold. `code` of the finding is in `facts["finding"]`."""

    code = "evidence.failed"
    exit_status = 4
    http_status = 409
