#!/bin/sh
# The REST service with curl: rate, get recommendations, be forgotten.
#
#     sh examples/service/client.sh http://127.0.0.1:8000 50
#
# `tastemap serve demo/model` prints the address; the second word is the id of an item.
set -eu
api="$1/api/v1"
item="$2"

curl -fsS "$api/model" | head -c 200
echo
# An id may hold any character: percent-encode it in a path.
curl -fsS -X PUT "$api/users/somebody%20new/ratings/$item" \
    -H 'Content-Type: application/json' -d '{"rating": 5}'
echo
curl -fsS "$api/users/somebody%20new/recommendations?k=3"
echo
curl -fsS -X DELETE "$api/users/somebody%20new"
echo
# Nothing is kept of ratings in the body.
curl -fsS "$api/recommend" -H 'Content-Type: application/json' \
    -d "{\"ratings\": [{\"item_id\": \"$item\", \"rating\": 5}], \"k\": 3}"
echo
