"""Feature sets over streams of payments, each an `Extractor`: one file for what it tells."""
