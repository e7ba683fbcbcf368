"""The date helpers of templates."""

from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.clock import utc_now
from schemas.handlebars.numbers import number
from schemas.moment_format import iso, known_zone, writer, zone_names
from schemas.moment_reading import ISO, read_date
from schemas.value_text import as_text, is_empty


def timestamp(form: str = "", zone: str = "") -> str:
    """The time now, to the millisecond; as ISO 8601 in UTC where nothing else is said."""
    now = utc_now()
    return _written(now.replace(microsecond=now.microsecond // 1000 * 1000), form, zone)


def date_format(form: str, value: Any, read_as: Any = None, zone: Any = None) -> str:  # noqa: ANN401 - JSON
    """The date in another form; nothing of an empty value.

    Args:
        read_as: form of the value; ISO 8601 where it is empty. The name of a zone, as the last value, is one.
        zone: in which it is written; UTC where it is empty.
    """
    if is_empty(value):
        return ""
    if zone is None and as_text(read_as) in zone_names():
        read_as, zone = None, read_as
    told = read_date(value, as_text(read_as) or None)
    return _written(_aware(told.moment), form, as_text(zone))


def date_add(value: Any, milliseconds: Any = None, zone: Any = None) -> str:  # noqa: ANN401 - any JSON values
    """The moment so much later, as ISO 8601; nothing of an empty value."""
    if is_empty(value):
        return ""
    later = timedelta(milliseconds=0 if is_empty(milliseconds) else float(number(milliseconds)))
    return _written(_aware(read_date(value, None).moment) + later, "", as_text(zone))


def _written(moment: datetime, form: str, zone: str) -> str:
    there = moment.astimezone(known_zone(zone) if zone else UTC)
    return iso(there) if form in ISO else writer(form)(there)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
