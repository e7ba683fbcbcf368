"""Files as destinations: one for each job, written whole and put in its place by a rename."""

from destinations.files.destination import FilesDestination

__all__ = ["FilesDestination"]
