"""Raw cells -> typed columns."""
