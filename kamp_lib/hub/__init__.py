"""The JupyterHub side: who may start what, inside which walls, and the first page they see."""
