"""Brings the bytes of a job again: a new job over the same file, with the definition as it is by now."""

from schemas.principal import Principal
from schemas.settings import Settings
from store.database import Store
from store.definitions import definition_of
from store.jobs import job_of
from store.uploads import get_upload
from tasks.kept_bytes import kept_bytes
from tasks.upload import Accepted, Brought, accept_file


def accept_again(
    settings: Settings, principal: Principal, job_id: str, creation_path: str, *, validate_only: bool = False
) -> Accepted:
    """Make a new job over the bytes of this one, with the definition of the same name, in the same mode.

    Raises:
        NotFoundError: the principal sees no such job or definition, or the bytes are gone.
        NotAllowedError: as for a file that is brought anew.
    """
    with Store.opened(settings) as store, store.read() as session:
        job = job_of(session, principal.tenant, job_id, principal.definitions)
        upload = get_upload(session, job.upload_id)
        definition = definition_of(session, job.definition_id).name
    with kept_bytes(settings, upload).open("rb") as file:
        brought = Brought(
            principal=principal,
            file=file,
            file_name=upload.file_name,
            definition=definition,
            mode=job.mode,
            validate_only=validate_only,
            creation_path=creation_path,
            file_options=job.file_options,
            source_job_id=job.id,
        )
        return accept_file(settings, brought)
