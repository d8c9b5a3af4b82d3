"""Detectors: one file each, with its title, scenario, remedy and a running example."""
