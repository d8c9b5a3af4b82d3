"""The programs: the composition root, the command line and the web dashboard."""
