"""Runs: folder, manifest, records, runner, resume."""
