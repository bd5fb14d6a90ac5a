"""Pages that open without a network: the report, its blocks, the interactive map."""
