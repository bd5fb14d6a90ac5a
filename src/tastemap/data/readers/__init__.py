"""Readers: ratings from files of any common format, MovieLens' releases and data frames."""
