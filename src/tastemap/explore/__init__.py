"""Look into ratings and models: title search, the 2-D map of the items, figures, the report."""
