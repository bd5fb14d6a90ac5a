"""A Keras model of your own, with what tastemap does around it: ids, curves, errors, answers.

python examples/keras_network.py

Needs the extra `lab`. The network takes row numbers of users and items, each (n,), and gives a
rating for each pair, (n, 1).
"""
# ruff: noqa: T201 - an example prints

from typing import Any

import tastemap as tm
from tastemap.data.ratings import Ratings
from tastemap.explore.overfitting import overfitting_sentence


def network(ratings: Ratings) -> Any:
    """Products of embeddings, weighted by a dense layer (generalised matrix factorisation)."""
    import keras

    user = keras.Input((), dtype="int32")
    item = keras.Input((), dtype="int32")
    p = keras.layers.Embedding(ratings.n_users, 16)(user)
    q = keras.layers.Embedding(ratings.n_items, 16)(item)
    start = keras.initializers.Constant(ratings.global_mean)
    rating = keras.layers.Dense(1, bias_initializer=start)(keras.layers.Multiply()([p, q]))
    return keras.Model([user, item], rating)


def main() -> None:
    """Fit the network, score it beside the baseline, and ask it."""
    train, test = tm.train_test_split(tm.synthetic_ratings(), seed=0)
    model = tm.NeuralRecommender(
        network, loss="mse", n_epochs=40, batch_size=128, learning_rate=0.01, patience=5
    )
    model.fit(train, progress=False)
    print(overfitting_sentence(model.history_))
    print(tm.evaluate(model, test).overall)
    print(model.recommend(5, k=5))


if __name__ == "__main__":
    main()
