"""Columns of a file -> standard columns, each with its reason."""
