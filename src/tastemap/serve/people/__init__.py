"""Whom the application answers: people's ratings, kept, and learnt from."""
