"""Other libraries of recommenders, each behind an adapter, and what is needed to judge them.

An adapter is a module of functions on arrays of row numbers. It is loaded by `peers.worker` in a
process of its own, with the interpreter of an environment that has the library; everything else
here runs beside tastemap. Required are ``PACKAGE``, the library's name in the package registry, and

    prepare(table) -> data                      the library's own form of the ratings
    fit(data, seed, threads, **options) -> model
    predict(model, data, pairs) -> ratings (n,), or probabilities (n, levels) of the levels
    top(model, data, users, k) -> item rows (len(users), k), best first, seen ones left out

of the last two those that its models are asked for. ``pairs`` is a table without ratings.
"""
