#!/usr/bin/env python3
"""Checks journals that `zm journal export` wrote, sharing no code with what wrote them.

usage: journal_verifier.py FILE…    (each named after its service, such as intake.jsonl; `-` is standard input)

A JSON object a line: {"entry": …}, {"head": …} or {"followed": …}, perhaps with "service". What a row's hash covers
is said in services/chassis/src/journal.rs. A chain cannot show that its tail was cut: heads can, and what the services
that follow have seen, where theirs is given as well. Prints every fault, and exits with 1 if there is any.
"""
import base64, hashlib, json, pathlib, sys, uuid

def number(size): return lambda value: int(value or 0).to_bytes(size, "big", signed=True)
def text(value): return (value or "").encode()
def blob(value): return base64.b64decode(value or "")
def ident(value): return uuid.UUID(value).bytes
def optional(encode): return lambda value: encode(value) if value not in (None, "", "0", 0) else None

FIELDS = [("aggregate", ident), ("sequence", number(8)), ("eventId", ident), ("kind", text), ("matter", optional(ident)),
          ("type", text), ("version", number(4)), ("data", blob), ("actor", blob), ("atMicros", number(8)),
          ("cause", optional(ident)), ("method", text), ("requestId", ident), ("requestHash", blob),
          ("publicSequence", optional(number(8))), ("previous", blob)]

def expected_hash(entry):
    digest = hashlib.sha256(b"\x01")
    for name, encode in FIELDS:
        value = encode(entry.get(name))
        digest.update(b"\x00" if value is None else b"\x01" + len(value).to_bytes(8, "big") + value)
    return digest.digest()

def verify(items):
    """Takes pairs of a service and an object; tells the number of rows, and faults as (aggregate, sequence, what)."""
    rows, faults, chains, heads, events, followed = 0, [], {}, {}, {}, []
    fresh = (0, 0, bytes(32))
    for service, item in items:
        if entry := item.get("entry"):
            rows += 1
            key, sequence, public = (service, entry["aggregate"]), int(entry["sequence"]), int(entry.get("publicSequence", 0))
            before, told, previous = chains.get(key, fresh)
            for sound, what in [
                (sequence == before + 1, "rows are missing or out of order before this one"),
                (blob(entry.get("previous")) == previous, "the row does not link to the row before it"),
                (blob(entry.get("hash")) == expected_hash(entry), "the row was changed after it was written"),
                (public in (0, told + 1), "the public events are not numbered in a row"),
            ]:
                if not sound: faults.append((entry["aggregate"], sequence, what))
            chains[key] = (sequence, public or told, blob(entry.get("hash")))
            if public: events[service, entry["aggregate"], public] = entry["eventId"]
        elif head := item.get("head"):
            heads[service, head["aggregate"]] = (int(head.get("version", 0)), int(head.get("publicSequence", 0)), blob(head.get("head")))
        elif seen := item.get("followed"):
            followed.append((seen["source"], seen["stream"], int(seen.get("sequence", 0)), seen.get("eventId")))
    for key in sorted(chains.keys() | heads.keys()):
        stands = chains.get(key, fresh)
        if heads.get(key) != stands:
            faults.append((key[1], stands[0] + 1, "the journal ends elsewhere than the aggregate's head: its tail was cut or the head changed"))
    exported = {service for service, _ in chains.keys() | heads.keys()}
    for source, stream, sequence, event in followed:
        if source in exported and sequence and event and events.get((source, stream, sequence)) != event:
            faults.append((stream, sequence, f"a follower of {source} has seen an event here that the journal does not hold"))
    return rows, faults

def read(paths):
    for path in paths:
        with sys.stdin if path == "-" else open(path, encoding="utf-8") as lines:
            for item in map(json.loads, filter(str.strip, lines)):
                yield item.get("service", pathlib.Path(path).stem), item

if __name__ == "__main__":
    rows, faults = verify(read(sys.argv[1:] or ["-"]))
    for aggregate, sequence, what in faults:
        print(f"{aggregate} {sequence}: {what}")
    print(f"{rows} rows, {len(faults)} faults")
    sys.exit(1 if faults else 0)
