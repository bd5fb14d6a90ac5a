"""Look into ratings and models: titles, people's own ratings, the 2-D map, figures, the report."""
