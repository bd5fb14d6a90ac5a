"""What models share: the base class on rows and on ids, factors, item weights, the artifact."""
