"""Untrusted notebooks: intake, restore, sandbox, execute, schedule, gradebook, feedback and export."""
