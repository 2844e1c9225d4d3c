"""Qt widgets, one a file. Only this package draws."""
