"""What an e-mail address looks like: as a value of a record, and as one that mails are sent to."""

import re

_CHARACTER = r"[^\s\x00\u200b\ufeff@<>,;:\"()\[\]\\"
EMAIL = rf"^{_CHARACTER}]+@({_CHARACTER}.]+\.)+{_CHARACTER}.]{{2,}}$"
"""Regular expression (Rust and Python syntax) of a whole address."""

LONGEST_ADDRESS_CHARS = 254


def is_mail_address(text: str) -> bool:
    """True for what may stand in the header of a mail as its only address."""
    return len(text) <= LONGEST_ADDRESS_CHARS and text.isprintable() and re.fullmatch(EMAIL, text) is not None


def domain_of(address: str) -> str:
    """The domain of an address, in lower case."""
    return address.rpartition("@")[2].lower()
