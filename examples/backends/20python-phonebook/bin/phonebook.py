#!/usr/bin/env python3
"""phonebook.py update|delete|ping: keeps a phone book in the SQLite database $PHONEBOOK.

Reads one JSON document per line and answers each with one line, so that it works both ways: started for each identity,
or kept running (`process: { phonebook: stream }` in staffetta.yml).
"""

import json
import os
import sqlite3
import sys

GENERIC, CONNECTION, WRONG_DOCUMENT = 1, 4, 32


def update(book, identity):
    person = identity["identity"]["identity"]
    entry = person["inetOrgPerson"]
    book.execute(
        "insert into person (id, name, telephone) values (:id, :name, :telephone)"
        " on conflict (id) do update set name = excluded.name, telephone = excluded.telephone",
        {"id": person["_id"], "name": entry["cn"], "telephone": entry["telephoneNumber"]},
    )
    return f"{entry['cn']} stands in the phone book"


def delete(book, identity):
    gone = book.execute("delete from person where id = ?", (identity["_id"],)).rowcount
    return "taken out of the phone book" if gone else "was not in the phone book"


def ping(book, _):
    (count,) = book.execute("select count(*) from person").fetchone()
    return f"{count} people in the phone book"


def answer(action, line):
    try:
        document = json.loads(line)
        with sqlite3.connect(os.environ["PHONEBOOK"], timeout=5) as book:
            book.execute("create table if not exists person (id text primary key, name text, telephone text)")
            return {"status": 0, "message": action(book, document["payload"])}
    except sqlite3.OperationalError as error:
        return {"status": CONNECTION, "message": f"the phone book cannot be used: {error}"}
    except (KeyError, TypeError, ValueError) as error:
        return {"status": WRONG_DOCUMENT, "message": f"not a document for a phone book: {error!r}"}


if __name__ == "__main__":
    action = {"update": update, "delete": delete, "ping": ping}[sys.argv[1]]
    status = 0
    for line in sys.stdin:
        result = answer(action, line)
        status = result["status"]
        print(json.dumps(result), flush=True)
    sys.exit(status)
