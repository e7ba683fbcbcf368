"""Vendors, one module each: wire words, server face and client; found by walking this folder."""

from connectors.connector import Connector
from connectors.registry import known_connectors

__all__ = ["Connector", "known_connectors"]
