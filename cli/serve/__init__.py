"""`lading serve`: the parts of the service as processes, started, watched, brought back and ended."""
