"""A table of ratings: columns, ids and scale, splits and statistics, in memory or mapped."""
