"""Forms of names and references that several documents share."""

import re

NAME_PATTERN = r"^[a-z][a-z0-9_-]{0,62}$"
COLUMN_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,62}$"
TABLE_PATTERN = r"^([A-Za-z_][A-Za-z0-9_]{0,62}\.)?[A-Za-z_][A-Za-z0-9_]{0,62}$"
REFERENCE_PATTERN = r"^env:[A-Za-z_][A-Za-z0-9_]*$"
RESERVED_PREFIX = "lading_"

PASSWORD_IN_URL = re.compile(r"[^:/?#]+://[^:/@]*:[^@]*@|.*[?&](?:ssl)?password=", re.IGNORECASE | re.DOTALL)
"""Matches a URL that has a password in it."""
