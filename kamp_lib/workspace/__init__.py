"""What an analyst meets in JupyterLab: the start page, and the templates of the first day."""
