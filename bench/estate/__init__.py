"""The police as two `acmx serve` on a replicated PostgreSQL, the fire service on a file, and all that goes wrong."""
