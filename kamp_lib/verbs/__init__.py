"""The verbs of the `kamp` command, one module per subject."""
