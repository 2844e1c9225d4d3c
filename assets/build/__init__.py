"""Generators of the bundled assets. Not installed with the package."""
