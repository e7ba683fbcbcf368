"""Record models: checks that a document can't say, one module each, found by walking this folder."""

from schemas.records.registry import RecordModel, known_records, record_model

__all__ = ["RecordModel", "known_records", "record_model"]
