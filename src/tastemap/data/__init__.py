"""A table of ratings, from anywhere."""
