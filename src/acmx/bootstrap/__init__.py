"""The one place that puts an ACM server together: its directory, made, locked, backed up and restored; its start."""
