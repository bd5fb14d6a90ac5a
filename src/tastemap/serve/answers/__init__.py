"""What the application answers: each kind of question in its module, asked of a `LoadedModel`."""
