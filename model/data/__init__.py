"""Datasets, one a file, behind one Sample record."""
