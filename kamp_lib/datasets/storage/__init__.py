"""Standard data sets on disk: versions, history, quarantine, all or nothing."""
