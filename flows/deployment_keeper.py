"""Keeps the deployments of `import-file` in step with the definitions: their schedules and their forms.

The job store is the truth: what Prefect has is compared with it, and changed only where it differs. Whether a
schedule is paused is Prefect's to know, and is never touched.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate, DeploymentUpdate
from prefect.client.schemas.objects import DeploymentSchedule
from prefect.client.schemas.responses import DeploymentResponse
from prefect.client.schemas.schedules import CronSchedule
from prefect.exceptions import ObjectNotFound

from flows.engine import prefect_may_fail, use_prefect
from flows.schedules import (
    AD_HOC,
    SCHEDULED,
    WantedSchedule,
    is_ours,
    wanted_schedules,
    with_choices,
)
from schemas.errors import NotFoundError
from schemas.settings import Settings
from store.database import Store
from store.definitions import definitions_in_use
from store.tables import DefinitionVersion

LOGGER = logging.getLogger("lading.schedules")
LOOK_SECONDS = 2.0
"""How often the store is asked whether definitions changed."""
COMPARE_SECONDS = 60.0
"""How often Prefect is compared with them though they did not change: it may have been changed there."""
FLOW = "import-file"


@dataclass(frozen=True)
class Kept:
    """What was done; slugs of schedules."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()


class DeploymentKeeper:
    """Looks now and then, in a thread that calls `run`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: list[int] | None = None
        self._compared_at = float("-inf")

    def run(self) -> None:
        """Look for as long as this process lives."""
        use_prefect()
        while True:
            try:
                with Store.opened(self._settings) as store:
                    while True:
                        self._look(store)
                        time.sleep(LOOK_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next look may go better
                LOGGER.warning("keeping schedules: %s: %s", type(error).__name__, error)
                self._seen = None
                time.sleep(LOOK_SECONDS)

    def _look(self, store: Store) -> None:
        with store.read() as session:
            ids = [stored.id for stored in definitions_in_use(session)]
        if ids != self._seen or time.monotonic() > self._compared_at + COMPARE_SECONDS:
            kept = keep_in_step(store)
            if kept != Kept():
                LOGGER.info("kept in step: %s", kept)
            self._seen, self._compared_at = ids, time.monotonic()


def keep_in_step(store: Store) -> Kept:
    """Make the schedules and the choices of Prefect's deployments those that the definitions want.

    Raises:
        NotFoundError: the deployments are not registered there.
        RetriableError: Prefect itself failed.
    """
    with store.read() as session:
        definitions = definitions_in_use(session)
    with prefect_may_fail("kept schedules in step"), get_client(sync_client=True) as client:
        deployments = {name: _deployment(client, name) for name in (AD_HOC, SCHEDULED)}
        forms = [name for name, made in deployments.items() if _keep_form(client, made, definitions)]
        scheduled = deployments[SCHEDULED]
        kept = _keep_schedules(client, scheduled, wanted_schedules(definitions))
        if kept != Kept() or SCHEDULED in forms:
            # Each change takes back the runs to come; they are made again before one of them is due.
            client.request("POST", "/deployments/{id}/schedule", path_params={"id": scheduled.id}, json={})
    return replace(kept, forms=tuple(forms))


def _deployment(client: SyncPrefectClient, name: str) -> DeploymentResponse:
    try:
        return client.read_deployment_by_name(f"{FLOW}/{name}")
    except ObjectNotFound as error:
        raise NotFoundError(
            f"Prefect has no deployment {FLOW}/{name}; `lading serve` registers it, or `prefect deploy --all`"
        ) from error


def _keep_form(
    client: SyncPrefectClient, deployment: DeploymentResponse, definitions: Sequence[DefinitionVersion]
) -> bool:
    """True where the choices of its form were other ones."""
    before = deployment.parameter_openapi_schema or {}
    schema = with_choices(before, deployment.name, definitions)
    if schema == before:
        return False
    client.update_deployment(deployment.id, DeploymentUpdate(parameter_openapi_schema=schema))
    return True


def _keep_schedules(
    client: SyncPrefectClient, deployment: DeploymentResponse, wanted: Mapping[str, WantedSchedule]
) -> Kept:
    found = {made.slug: made for made in client.read_deployment_schedules(deployment.id) if is_ours(made.slug)}
    missing = [slug for slug in wanted if slug not in found]
    other = [slug for slug in wanted if slug in found and not _is_so(found[slug], wanted[slug])]
    left = [slug for slug in found if slug is not None and slug not in wanted]
    if missing:
        client.create_deployment_schedules(deployment.id, [_new(wanted[slug]) for slug in missing])
    for slug in other:
        schedule, parameters = _cron(wanted[slug]), dict(wanted[slug].parameters)
        client.update_deployment_schedule(
            deployment.id, found[slug].id, schedule=schedule, parameters=parameters
        )
    for slug in left:
        client.delete_deployment_schedule(deployment.id, found[slug].id)
    return Kept(tuple(missing), tuple(other), tuple(left))


def _is_so(found: DeploymentSchedule, wanted: WantedSchedule) -> bool:
    return found.schedule == _cron(wanted) and found.parameters == wanted.parameters


def _cron(wanted: WantedSchedule) -> CronSchedule:
    return CronSchedule(cron=wanted.cron, timezone=wanted.timezone)


def _new(wanted: WantedSchedule) -> DeploymentScheduleCreate:
    return DeploymentScheduleCreate(
        slug=wanted.slug, schedule=_cron(wanted), parameters=dict(wanted.parameters)
    )
