"""The commands of `pointhmr`, one a file: each adds its arguments to a parser and runs."""
