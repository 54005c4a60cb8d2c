"""Trusted notebooks: the catalog, canonical notebooks, release, check, score and report."""
