"""Files and folders -> raw cells, each row knowing where it came from."""
