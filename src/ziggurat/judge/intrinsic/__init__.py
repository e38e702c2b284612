"""Judging word vectors by themselves: analogies and similarity, with intervals and comparisons of models."""
