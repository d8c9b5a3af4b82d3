"""One file a subject; each exports `router`."""
