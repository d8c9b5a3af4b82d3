"""veridict: machine learning whose every prediction can be checked."""

__version__ = "0.1.0"
