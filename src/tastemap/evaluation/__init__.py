"""How good a model is on ratings that it has not seen, compared with the baseline."""
