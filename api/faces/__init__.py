"""Vendors' faces: each mounted below its own name, and the house that all of them are handed."""

from api.faces.mounting import mount_faces

__all__ = ["mount_faces"]
