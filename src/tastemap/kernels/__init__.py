"""Compiled routines: pure functions on arrays."""
