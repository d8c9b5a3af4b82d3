"""The demo: `story` tells it, `summary` is what it saw; importing this package costs nothing."""
