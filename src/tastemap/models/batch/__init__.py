"""Answers for everyone at once: lists of items, lists in a file, neighbours of all items."""
