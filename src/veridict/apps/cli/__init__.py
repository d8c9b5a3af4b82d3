"""The command line: one file a command; `main` finds them by name, so that starting is quick."""
