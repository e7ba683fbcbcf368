"""What `lading serve --demo` makes: a key, definitions and sample jobs; and the curls that use them."""

from dataclasses import dataclass
from pathlib import Path

from cli.output import plain, say
from schemas.document import read_definition
from schemas.errors import NotFoundError
from schemas.principal import OPERATOR_TENANT, Principal, Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.job_lists import JobFilter, page_of_jobs
from store.keys import NewKey, add_key
from tasks.upload import Brought, accept_file

_EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_SAMPLES = {"earthquakes": "earthquakes.csv", "housing": "housing.xlsx"}


@dataclass(frozen=True)
class Demo:
    """What was made.

    Attributes:
        key: as it is told, once.
    """

    key: NewKey

    @classmethod
    def prepared(cls, settings: Settings, store: Store) -> "Demo":
        """Make the key and the definitions, and the sample jobs in a home that has no job yet.

        Raises:
            NotFoundError: this installation has no examples.
        """
        if not _EXAMPLES.is_dir():
            raise NotFoundError(f"there are no examples in {_EXAMPLES}; run --demo from a checkout")
        scopes = list(Scope)
        with store.write() as session:
            for name in _SAMPLES:
                put_definition(session, OPERATOR_TENANT, read_definition(_EXAMPLES / f"{name}.yaml"))
            key = add_key(session, OPERATOR_TENANT, scopes)
        with store.read() as session:
            is_new = not page_of_jobs(session, OPERATOR_TENANT, JobFilter(), limit=1)
        if is_new:
            principal = Principal(key.key_id, key.tenant, frozenset(scopes))
            for name, file_name in _SAMPLES.items():
                with (_EXAMPLES / file_name).open("rb") as file:
                    accept_file(settings, Brought(principal, file, file_name, name))
        return cls(key)

    def show(self, api: str) -> None:
        """Print the key, and curls that work as they stand."""
        say("key", f"{self.key.token} (told once; tenant {self.key.tenant}, every scope)")
        bearer = f'-H "Authorization: Bearer {self.key.token}"'
        sample = _EXAMPLES / _SAMPLES["earthquakes"]
        plain(f"""
curl -s {api}/health
curl -s {bearer} -F file=@{sample} -F definition=earthquakes {api}/jobs
curl -s {bearer} {api}/jobs
curl -s {bearer} {api}/definitions/earthquakes/template.xlsx -o earthquakes.xlsx
""")
