import re

BRIEF = {"LADING_UPLOAD_DAYS": "1e-9", "LADING_ERROR_DAYS": "1e-9", "LADING_JOB_DAYS": "1e-9"}
DEFINITION = """
name: things
key: [id]
fields:
  - {name: id, header: Id, type: string, required: true}
  - {name: amount, header: Amount, type: integer}
destination: {table: things}
"""


def test_what_was_purged_is_counted_and_said_wherever_it_is_asked_for(folder, lading, lading_process):
    (folder / "things.yaml").write_text(DEFINITION)
    (folder / "things.csv").write_text("Id,Amount\na,1\nb,x\n")
    done = lading_process("import", "things.csv", "-d", "things.yaml", **BRIEF)
    assert re.search(
        r"^kept +the file until \d{4}-\d\d-\d\d, errors until .*, rows until .*", done.out, re.MULTILINE
    )
    would = lading_process("purge", "--dry-run", "--json").json
    assert (would["dry_run"], would["stages"], would["leftovers"]) == (True, 0, 0)
    assert {name: would[name] for name in ("jobs", "errors", "uploads", "reports", "files", "stuck")} == {
        "jobs": 1,
        "errors": 1,
        "uploads": 1,
        "reports": 1,
        "files": 2,
        "stuck": [],
    }
    removed = lading_process("purge")
    assert removed.status == 0
    files, rows = removed.out.splitlines()
    assert re.fullmatch(r"removed +1 uploads, 0 stages, 1 reports, 0 leftovers: 2 files, \d+ bytes", files)
    assert re.fullmatch(r"removed +the rows of 1 jobs and the errors of 1; their counts stay", rows)
    (row,) = lading("jobs", "--json").json["jobs"]
    assert (row["state"], row["created"], row["failed"]) == ("finished", 1, 1)
    job = lading("job", row["job_id"], "--json").json
    assert (job["rows"], job["created"], job["errors_total"], job["errors"]) == (2, 1, 1, [])
    assert job["purged_at"] > job["expires_at"]
    assert job["errors_purged_at"] > job["errors_expire_at"]
    assert job["upload_purged_at"] > job["upload_expires_at"]
    assert job["stage_expires_at"] > job["purged_at"]
    said = lading("job", row["job_id"], "--errors", "--failed-rows", "out.csv")
    assert re.search(
        r"^errors +1 times type.integer in amount\nerrors +removed on \d{4}-", said.out, re.MULTILINE
    )
    assert re.search(r"^kept +the file removed on \d{4}-.*; counts for good", said.out, re.MULTILINE)
    assert re.search(r"out.csv: the errors of job .* were removed on \d{4}-\d\d-\d\d", said.err)
