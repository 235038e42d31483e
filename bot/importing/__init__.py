"""Importing files at the edge: check the whole file, post it batch by batch, report claim by claim."""
