"""The stages of a job, one file each: the work function, without Prefect, and the task made of it."""
