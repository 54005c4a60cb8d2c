"""Contenders, load generator and report of the serving benchmark."""
