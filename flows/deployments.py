"""The deployments of `prefect.yaml`, as a runner serves them."""

from pathlib import Path
from typing import Any

import yaml
from prefect import Flow
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.client.schemas.schedules import construct_schedule
from prefect.deployments.runner import RunnerDeployment
from prefect.events.schemas.deployment_triggers import DeploymentTriggerTypes
from prefect.flows import load_flow_from_entrypoint
from prefect.types.entrypoint import EntrypointType
from pydantic import BaseModel, ConfigDict, TypeAdapter

from schemas.errors import FatalError

DEPLOYMENTS = Path(__file__).resolve().parents[1] / "prefect.yaml"
_TRIGGERS: TypeAdapter[list[DeploymentTriggerTypes]] = TypeAdapter(list[DeploymentTriggerTypes])


class _Declared(BaseModel):
    """One deployment as `prefect.yaml` declares it; a work pool is for `prefect deploy`."""

    model_config = ConfigDict(extra="forbid")

    name: str
    entrypoint: str
    description: str | None = None
    tags: list[str] | None = None
    version: str | None = None
    parameters: dict[str, Any] | None = None
    enforce_parameter_schema: bool | None = None
    concurrency_limit: int | ConcurrencyLimitConfig | None = None
    schedules: list[dict[str, Any]] | None = None
    triggers: list[dict[str, Any]] | None = None
    work_pool: dict[str, Any] | None = None


async def declared_deployments(path: Path = DEPLOYMENTS) -> list[RunnerDeployment]:
    """The deployments that the file declares, as a runner takes them.

    Raises:
        FatalError: there is no such file.
        ValidationError: it declares something that a runner does not know.
    """
    return [await _deployment(declared) for declared in _declared(path)]


def _declared(path: Path) -> list[_Declared]:
    try:
        document = yaml.safe_load(path.read_text())
    except FileNotFoundError as error:
        raise FatalError(f"there is no {path}; `lading serve` runs from a checkout of Lading") from error
    return [_Declared.model_validate(declared) for declared in document["deployments"]]


async def _deployment(declared: _Declared) -> RunnerDeployment:
    flow: Flow[..., Any] = load_flow_from_entrypoint(declared.entrypoint, use_placeholder_flow=False)
    return await flow.ato_deployment(
        declared.name,
        description=declared.description,
        tags=declared.tags,
        version=declared.version,
        parameters=declared.parameters,
        enforce_parameter_schema=declared.enforce_parameter_schema is not False,
        concurrency_limit=declared.concurrency_limit,
        schedules=[_schedule(dict(schedule)) for schedule in declared.schedules or []],
        triggers=[*_TRIGGERS.validate_python(declared.triggers or [])],
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _schedule(declared: dict[str, Any]) -> DeploymentScheduleCreate:
    kept = {key: declared.pop(key) for key in ("active", "parameters", "slug") if key in declared}
    return DeploymentScheduleCreate(schedule=construct_schedule(**declared), **kept)
