"""Lading over HTTP: the status API and the pages. What is accepted here, a worker brings to its end."""
