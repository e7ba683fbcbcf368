"""The dates of a rule: read in one form and zone, written in another."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Protocol

from schemas.moment_format import iso, known_zone, writer
from schemas.moment_reading import ISO, in_zone, read_date, reader


class Dates(Protocol):
    """What a rule says of dates."""

    @property
    def data_type(self) -> str | None: ...  # noqa: D102
    @property
    def extract_date_format(self) -> str | None: ...  # noqa: D102
    @property
    def extract_date_timezone(self) -> str | None: ...  # noqa: D102
    @property
    def generate_date_format(self) -> str | None: ...  # noqa: D102
    @property
    def generate_date_timezone(self) -> str | None: ...  # noqa: D102


def date_step(rule: Dates) -> Callable[[Any], str] | None:
    """Writes the date that a value tells as the rule wants it; None where the rule speaks of no date.

    What is returned raises `ValueError` where the value is no such date.

    Raises:
        ValueError: there is no such zone, or a format has a token that is not served.
    """
    form, zones = rule.extract_date_format, (rule.extract_date_timezone, rule.generate_date_timezone)
    if rule.data_type != "date" and not any((form, rule.generate_date_format, *zones)):
        return None
    if form not in ISO:
        reader(str(form))
    source, goal = (None if zone is None else known_zone(zone) for zone in zones)
    write = None if rule.generate_date_format in ISO else writer(str(rule.generate_date_format))

    def step(value: Any) -> str:  # noqa: ANN401 - any JSON value
        told = read_date(value, form)
        if write is None and goal is None and not told.has_time:
            return told.moment.date().isoformat()
        try:
            moment = in_zone(told.moment, source)
            if write is None and goal is None:
                return iso(moment)
            moment = _aware(moment).astimezone(goal or source or UTC)
            return iso(moment) if write is None else write(moment)
        except OverflowError as error:
            raise ValueError("falls outside of the years 1 to 9999 in the time zone") from error

    return step


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
