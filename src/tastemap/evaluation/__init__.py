"""How good is a model, on ratings that it has not seen, beside the baseline."""
