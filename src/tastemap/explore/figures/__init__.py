"""Figures of ratings, models, leaderboards and searches, each a Matplotlib figure of its own."""
