"""The shared base of models: calls on rows and on ids, factors, item weights, the artifact."""
