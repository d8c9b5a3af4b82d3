"""Where payments come from, one file a source; `normal` is what all of them give."""
