"""Metrics of ratings, lists and distributions, and intervals of their differences."""
