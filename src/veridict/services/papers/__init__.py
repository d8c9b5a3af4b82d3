"""A model's papers: what is told of it, written down once and checked by anyone again."""
