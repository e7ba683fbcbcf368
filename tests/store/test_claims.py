"""A table belongs to the tenant that first claimed it."""

import pytest

from schemas.errors import ConflictError, NotAllowedError, NotFoundError
from schemas.job import JobState
from store.access_tables import TableClaim
from store.claims import claim_table, list_claims, refuse_claimed, release_table
from store.jobs import set_values

TABLE = "postgresql://db.example:5432/warehouse/public.things"


def test_a_table_belongs_to_the_first_and_the_refusal_does_not_say_to_whom(store):
    with store.write() as session:
        refuse_claimed(session, "acme", TABLE)
        claim_table(session, "acme", TABLE)
        claim_table(session, "acme", TABLE)
    for claim in (claim_table, refuse_claimed):
        for other in ("other", "local"):
            with store.write() as session, pytest.raises(NotAllowedError) as refused:
                claim(session, other, TABLE)
            assert refused.value.rule == "table.claimed"
            assert "'public.things'" in str(refused.value)
            assert "another tenant" in str(refused.value)
            assert "acme" not in str(refused.value)


def test_a_released_table_belongs_to_the_next_and_is_not_released_under_a_job(store, new_job):
    job_id = new_job()
    with store.write() as session:
        claim_table(session, "local", TABLE)
        set_values(session, job_id, epoch=0, destination_key=TABLE)
        with pytest.raises(ConflictError, match=f"job {job_id} of local imports into that table"):
            release_table(session, TABLE)
        set_values(session, job_id, epoch=0, state=JobState.FAILED, rows=0)
        assert release_table(session, TABLE).tenant == "local"
        assert list_claims(session) == []
        with pytest.raises(NotFoundError, match="nobody has claimed"):
            release_table(session, TABLE)
        claim_table(session, "acme", TABLE)
        assert [claim.tenant for claim in list_claims(session)] == ["acme"]


def test_ones_own_database_needs_no_claim_and_anothers_can_not_be_meant(store):
    with store.write() as session:
        claim_table(session, "acme", "acme/default/things")
        claim_table(session, "other", "other/default/things")
        assert session.get(TableClaim, "acme/default/things") is None
