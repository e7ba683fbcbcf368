"""Why a job as a whole is `failed` or `cancelled`."""

from schemas.codes.code import Code

JOB = (
    Code(
        "destination.mismatch",
        "{detail}",
        "The table does not fit the definition.",
        "a table that lacks the column `depth`",
    ),
    Code(
        "job.abandoned",
        "{detail}",
        "The job was interrupted, and somebody ended it instead of finishing it.",
        "`lading import … --abandon`",
    ),
    Code(
        "job.atomic",
        "{detail}",
        "The destination refused rows, and under `atomic` nothing is written then.",
        "a record that is there already, with `mode: insert` and `atomic: true`",
    ),
    Code(
        "job.sync",
        "{detail}",
        "The destination refused to delete what the file lacks.",
        "a record that another table refers to, with `mode: sync`",
    ),
    Code(
        "job.cancelled",
        "{detail}",
        "Somebody cancelled the job; what it had written by then stays.",
        "`POST /jobs/{id}/cancel`, or Cancel in Prefect's UI",
    ),
    Code(
        "upload.expired",
        "{detail}",
        "The file was kept for some time only, which was over before the job ended; what it wrote stays.",
        "a temporary file of ELMA365, 60 minutes after it came",
    ),
    Code(
        "vendor.failed",
        "{detail}",
        "The vendor did not take the file that was handed over to it, or gave it up.",
        "a track that does not exist",
    ),
    Code(
        "vendor.deadline",
        "{detail}",
        "The vendor was not done in time; rows that were handed over by then are unconfirmed.",
        "an import that a vendor never ends",
    ),
    Code(
        "vendor.unknown",
        "{detail}",
        "A vendor's answer was lost, and whether it took the rows can't be found out; they are unconfirmed.",
        "a connection that is cut while the vendor answers",
    ),
    Code("job.failed", "{detail}", "The job could not go on.", "the upload's bytes are gone"),
)
