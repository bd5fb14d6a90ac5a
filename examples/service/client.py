"""The REST service from Python: rate or like, get recommendations, ask why, be forgotten.

python examples/service/client.py http://127.0.0.1:8000

`tastemap serve demo/model` prints the address, and so it does for a model of interactions. This
needs httpx (`pip install httpx`).
"""
# ruff: noqa: T201 - an example prints

import sys

import httpx


def main(address: str) -> None:
    """What an application does for one of its users."""
    with httpx.Client(base_url=f"{address.rstrip('/')}/api/v1", timeout=30) as api:
        popular = ask(api.get("/items", params={"n": 3}))["items"]
        me = "/users/somebody%20new"

        ids = [str(item["item_id"]) for item in popular]
        if ask(api.get("/model"))["kind"] == "ratings":
            stars = zip(ids, (5, 4, 1), strict=True)
            ratings = [{"item_id": item_id, "rating": rating} for item_id, rating in stars]
            ask(api.post(f"{me}/ratings", json={"ratings": ratings}))
        else:
            # An event with an id counts once, however often it is sent.
            events = [
                {"item_id": item_id, "weight": weight, "event_id": f"visit 1, event {n}"}
                for n, (item_id, weight) in enumerate(zip(ids, (1, 2, -1), strict=True))
            ]
            for _ in range(2):
                ask(api.post(f"{me}/events", json={"events": events}))

        picks = ask(api.get(f"{me}/recommendations", params={"k": 5}))
        print(f"recommended ({picks['source']}):")
        for item in picks["items"]:
            print(f"  {item['predicted_rating'] or item['score']:.3g}  {item['title']}")

        first = str(picks["items"][0]["item_id"])
        why = ask(api.post("/explain", json={"user_id": "somebody new", "item_id": first}))
        print(f"why {why['title']}:")
        for part in why["parts"][:5]:
            print(f"  {part['contribution']:+.3g}  {part['title'] or part['part']}")

        ask(api.delete(me))
        print("forgotten")


def ask(answer: httpx.Response) -> dict:
    """The JSON of an answer; an error says what is wrong in one shape everywhere."""
    if answer.is_error:
        error = answer.json()["error"]
        sys.exit(f"{error['code']}: {error['message']}")
    return answer.json() if answer.content else {}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
