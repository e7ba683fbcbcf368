"""Definitions that come with the product, kept as the operator's, who has the last word on each."""

from collections.abc import Iterable

from sqlmodel import Session, col, select

from schemas.definition import Definition
from schemas.principal import OPERATOR_TENANT
from store.backend import alone
from store.definitions import put_definition
from store.tables import DefinitionVersion


def never_kept(session: Session, names: Iterable[str]) -> set[str]:
    """Those of the names that no definition of the operator ever had, not even a removed one."""
    wanted = set(names)
    query = select(DefinitionVersion.name).where(
        DefinitionVersion.tenant == OPERATOR_TENANT, col(DefinitionVersion.name).in_(wanted)
    )
    kept = session.exec(query).all()
    return wanted.difference(kept)


def keep_shipped(session: Session, definitions: Iterable[Definition]) -> None:
    """Keep those of the definitions whose names the operator never had."""
    for definition in definitions:
        alone(session, "definition", OPERATOR_TENANT, definition.name)
        if never_kept(session, [definition.name]):
            put_definition(session, OPERATOR_TENANT, definition)
