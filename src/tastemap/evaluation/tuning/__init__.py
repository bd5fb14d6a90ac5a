"""The search for the options of a model: spaces, the study of trials, the search itself."""
