"""LearningBuilder: records as JSON Lines into the import queue.

Endpoints, as Lading serves them below `/learningbuilder`, in any case:
    POST /API/WorkflowImportQueue/CreateBatch      what is asked for in the query, the records in the body
    GET  /API/WorkflowImportQueue/Batch/{batchId}  how the batch stands; an extension of ours, not the vendor's

Every call carries `Authorization: apikey …`, of a key with the permission `BeginWorkflowImportProcess`. Limits:
of the vendor none is documented; ours are in `choices.py`.

What the client promises: a batch is sent at most once, and its records are `unconfirmed`, since no call of the
vendor tells of a batch; its page is linked.

Sources:
    https://heuristicsolutions.atlassian.net/wiki/spaces/DOCS/pages/3814817793 (the call) and its versions, of
    which 3816063045 to 3817275510 shows the answer
    https://heuristicsolutions.atlassian.net/wiki/spaces/DOCS/pages/459440201 (keys)
    https://heuristicsolutions.atlassian.net/wiki/spaces/DOCS/pages/1460502917 (the queue and its passes)
    https://heuristicsolutions.atlassian.net/wiki/spaces/DOCS/pages/1462567021 (headers that identify)
"""

from connectors.connector import Connector
from connectors.learningbuilder.choices import LearningBuilderChoices
from connectors.learningbuilder.client import LearningBuilderClient
from connectors.learningbuilder.face import NAME, ProcessAddress, learningbuilder_face
from connectors.learningbuilder.options import LearningBuilderOptions
from schemas.definition import Mode
from schemas.principal import Scope

CONNECTOR = Connector(
    NAME,
    ProcessAddress,
    learningbuilder_face,
    LearningBuilderChoices,
    scopes=frozenset({Scope.BEGIN_WORKFLOW_IMPORT}),
    client=LearningBuilderClient,
    container=ProcessAddress,
    options=frozenset(LearningBuilderOptions.model_fields),
    option_types=LearningBuilderOptions,
    secrets=frozenset({"api_key"}),
    needs=(frozenset({"api_key"}),),
    client_modes=frozenset({Mode.UPSERT}),
)

__all__ = ["CONNECTOR"]
