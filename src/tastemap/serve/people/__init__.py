"""Whom the application answers: people's ratings, kept, brought along, and learnt from."""
