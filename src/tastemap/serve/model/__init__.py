"""What answers are made from: the items, the model that is served, and its replacement."""
