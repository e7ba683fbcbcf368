"""The catalogue of error codes: what each means, what it says, and an input that brings it about.

The page `docs/errors.md` is made from it, and a test runs every example.
"""

from schemas.codes.catalogue import CODES, FILE_CODES, JOB_CODES, ROW_CODES, catalogue_markdown
from schemas.codes.code import Code

__all__ = ["CODES", "FILE_CODES", "JOB_CODES", "ROW_CODES", "Code", "catalogue_markdown"]
