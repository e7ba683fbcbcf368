"""The schedules and the choices that the deployments of `import-file` should have, by what definitions say."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from schemas.principal import OPERATOR_TENANT
from store.tables import DefinitionVersion

SCHEDULED, AD_HOC = "scheduled", "ad-hoc"
_SLUG = re.compile(r"[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*")
_NOT_BY_HAND = ("tenant", "drop_id")
"""Parameters that the form of `ad-hoc` does not show: what is imported by hand is the operator's."""


@dataclass(frozen=True)
class WantedSchedule:
    """One schedule of `import-file/scheduled`.

    Attributes:
        slug: its name, `<tenant>.<definition>`.
    """

    slug: str
    cron: str
    timezone: str
    parameters: Mapping[str, str]


def wanted_schedules(definitions: Sequence[DefinitionVersion]) -> dict[str, WantedSchedule]:
    """By slug, one for each definition whose source has a `cron`."""
    wanted = {}
    for stored in definitions:
        source = stored.definition.source
        if source is not None and source.cron is not None:
            whose = {} if stored.tenant == OPERATOR_TENANT else {"tenant": stored.tenant}
            slug = f"{stored.tenant}.{stored.name}"
            wanted[slug] = WantedSchedule(
                slug, source.cron, source.timezone, {"definition": stored.name} | whose
            )
    return wanted


def is_ours(slug: str | None) -> bool:
    """True for a schedule that we made; somebody may have made others by hand."""
    return slug is not None and _SLUG.fullmatch(slug) is not None


def with_choices(
    schema: dict[str, Any], deployment: str, definitions: Sequence[DefinitionVersion]
) -> dict[str, Any]:
    """The schema of the parameters of a deployment, in which `definition` is a choice of those that exist.

    By hand the operator's are chosen; a deployment that says the tenant by itself has those of all.
    """
    changed = deepcopy(schema)
    seen = [d for d in definitions if d.tenant == OPERATOR_TENANT or deployment != AD_HOC]
    changed["properties"]["definition"]["enum"] = sorted({stored.name for stored in seen})
    if deployment == AD_HOC:
        for name in _NOT_BY_HAND:
            changed["properties"].pop(name, None)
        changed["allOf"] = [_needs_source([d.name for d in seen if d.definition.source is None])]
    return changed


def _needs_source(names: list[str]) -> dict[str, Any]:
    """For a definition that names no source of its own, one is to be given."""
    return {
        "if": {"properties": {"definition": {"enum": names}}, "required": ["definition"]},
        "then": {"properties": {"source": {"type": "string"}}},
    }
