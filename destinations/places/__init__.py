"""Files on this machine, on FTP and SFTP servers and in stores that speak S3, all used in the same way."""

from destinations.places.driver import READ_BYTES
from destinations.places.found import FoundFile
from destinations.places.opening import OpenPlace, opened_place

__all__ = ["READ_BYTES", "FoundFile", "OpenPlace", "opened_place"]
