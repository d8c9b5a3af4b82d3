"""Compilers: one file a framework. `compile_model` finds the one that knows the model."""
