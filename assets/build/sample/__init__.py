"""Builds the bundled sample: a clothed person in motion, rendered from free data, with its ground truth."""
