"""The lifecycle of an import, its wiring to Prefect, and Prefect's own place in Lading's home."""
