#!/bin/sh
# home.sh keep|remove|ping: gives a person a home directory below $HOMES, or moves it to $HOMES/attic.
# What it is told twice it does once: to make what is there, and to remove what is gone, is no failure.

say() {
  echo "{\"status\": $1, \"message\": \"$2\"}"
  exit "$1"
}

homes=${HOMES:?set HOMES under env: in staffetta.yml}
document=$(cat)
[ -w "$homes" ] || say 4 "there is no folder $homes that we may write to"
[ "$1" = ping ] && say 0 "homes are in $homes"

# The document is one line of JSON; a name of these letters needs no more of a reader than this.
uid=$(printf '%s' "$document" | sed -n 's/.*"uid": *"\([a-z][a-z0-9._-]*\)".*/\1/p')
[ -n "$uid" ] || say 32 "expected inetOrgPerson.uid of small letters and digits"

case $1 in
  keep)
    [ -d "$homes/$uid" ] && say 0 "$uid has a home"
    mkdir -m 700 "$homes/$uid" && say 0 "made a home for $uid"
    ;;
  remove)
    [ -d "$homes/$uid" ] || say 0 "$uid has no home"
    mkdir -p "$homes/attic" && mv "$homes/$uid" "$homes/attic/$uid.$(date +%Y%m%d%H%M%S)" && say 0 "the home of $uid is in the attic"
    ;;
esac
say 1 "could not $1 the home of $uid"
