"""Trains the models of ``data/models``; no part of the installed program (``training/__main__.py``)."""
