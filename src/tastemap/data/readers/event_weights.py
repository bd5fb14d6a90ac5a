"""The weights of events by their kind: view, cart, purchase."""

from collections.abc import Mapping, Sequence

from tastemap.errors import ArgumentError

LISTED_EVENTS = 6


def weights_of_kinds(
    counts: Sequence[tuple[str, int]], event_weights: Mapping[str, float] | None
) -> tuple[dict[str, float], str]:
    """The weight of each kind of event, and a note on the kinds.

    Args:
        counts: The kinds with their numbers, the most frequent first.
        event_weights: The weights of kinds; None for 1 each.

    Raises:
        ArgumentError: If a kind has no weight.

    Example:
        >>> weights_of_kinds([("view", 9), ("buy", 1)], {"view": 1, "buy": 5, "cart": 3})
        ({'view': 1.0, 'buy': 5.0}, 'events view (9), buy (1); weights: view 1, buy 5')
    """
    shown = [f"{kind} ({n:,})" for kind, n in counts[:LISTED_EVENTS]]
    listed = ", ".join(shown) + (" …" if len(counts) > LISTED_EVENTS else "")
    kinds = [kind for kind, _ in counts]
    if event_weights is None:
        note = (
            f"events {listed}: each weighs 1 (event_weights={{...}}, in the shell --event-weights,"
            " weighs them by their kind)"
        )
        return dict.fromkeys(kinds, 1.0), note
    lacking = [kind for kind in kinds if kind not in event_weights]
    if lacking:
        call = ", ".join(f"{kind!r}: {event_weights.get(kind, 1):g}" for kind in kinds)
        raise ArgumentError(
            "event_weights",
            expected="a weight for each kind of event, 0 for those that do not count",
            received=f"none for {', '.join(map(repr, lacking[:LISTED_EVENTS]))}",
            do=f"event_weights={{{call}}}",
        )
    said = ", ".join(f"{kind} {event_weights[kind]:g}" for kind in kinds)
    weights = {kind: float(event_weights[kind]) for kind in kinds}
    return weights, f"events {listed}; weights: {said}"


def lacking_events(columns: Sequence[str]) -> ArgumentError:
    """The error of weights where no column has the kinds of events."""
    return ArgumentError(
        "event_weights",
        expected="a column of the kinds of events",
        received=f"columns {', '.join(columns)}",
        do="name it: event=...",
    )
