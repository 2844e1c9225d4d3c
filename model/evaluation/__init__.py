"""Evaluation like the paper: protocols, errors of each picture, tables beside published numbers."""
