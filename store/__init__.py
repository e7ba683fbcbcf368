"""The job store: definitions, uploads, jobs, pages, errors and events; the truth about every job."""
