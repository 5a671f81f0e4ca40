#!/usr/bin/env python3
"""The audit chain without a line of Rust: a verifier, and the maker of the fixtures beside this file.

    python3 audit_chain.py verify KEY_IN_HEX FILE...   check files, each on its own
    python3 audit_chain.py make                        write fixtures/ again

Written from the crate's documentation (src/lib.rs, "The file, exactly"). Rust must accept what this makes, and
write the same bytes for the same calls: tests/format.rs.
"""

import hashlib
import hmac
import json
import pathlib
import re
import sys

LINE = re.compile(
    rb'(\{"version":1,"sequence":([0-9]+),"time":"[^"]*".*),"mac":"([0-9a-f]{64})"\}', re.DOTALL
)


def mac_of(key, previous, covered):
    return hmac.new(key, previous + covered, hashlib.sha256).digest()


def beginning(record):
    """The mac that a chain with this first record begins from."""
    if record.get("event") == "started" and record["sequence"] == 1:
        return bytes(32)
    if record.get("event") == "rotated":
        return bytes.fromhex(record["previous_mac"])
    return None


def verify(key, data):
    """Return (whole records, bytes of a torn end), or raise ValueError naming the line."""
    *lines, torn = data.split(b"\n")
    previous = sequence = sink = None
    for number, line in enumerate(lines, 1):
        match = LINE.fullmatch(line)
        if not match:
            raise ValueError(f"line {number}: not a record")
        covered, found, mac = match[1] + b"}", int(match[2]), bytes.fromhex(match[3].decode())
        follows = previous is not None and found == sequence + 1 and mac == mac_of(key, previous, covered)
        if not follows:
            record = json.loads(line)
            base = beginning(record)
            restarts = sink == record.get("sink") == "stream" and record.get("event") == "started"
            if base is None or not (previous is None or restarts) or mac != mac_of(key, base, covered):
                raise ValueError(f"line {number}: does not follow the line before it")
            sink = record["sink"]
        previous, sequence = mac, found
    return len(lines), len(torn)


class Chain:
    """Makes lines."""

    def __init__(self, key, server, sink, previous=bytes(32), sequence=0):
        self.key, self.server, self.sink = key, server, sink
        self.previous, self.sequence, self.lines = previous, sequence, []

    def add(self, **fields):
        self.sequence += 1
        record = {"version": 1, "sequence": self.sequence, **fields}
        covered = json.dumps(record, separators=(",", ":"), ensure_ascii=False).encode()
        self.previous = mac_of(self.key, self.previous, covered)
        self.lines.append(covered[:-1] + b',"mac":"' + self.previous.hex().encode() + b'"}\n')

    def control(self, time, event, **fields):
        self.add(time=time, event=event, server=self.server, sink=self.sink, **fields)

    def new_file(self):
        lines, self.lines = self.lines, []
        return b"".join(lines)


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def call(arguments, full_arguments=None, **fields):
    """The fields of a call in their order, with those of a call that came to nothing where none are given."""
    text = canonical(full_arguments or arguments)
    record = {
        "time": None, "call_id": None, "traceparent": None, "server": "metrics", "principal": "unidentified",
        "client": None, "tenant": None, "transport": "http", "tool": None, "effect": "read",
        "arguments": canonical(arguments), "arguments_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "upstream": [], "decision": "refuse", "rule": "undecided", "outcome": "cancelled",
        "rows_seen": 0, "rows_shown": 0, "bytes_out": 0, "masked": 0, "suspicious": 0, "duration_ms": 0.0,
    }
    assert fields.keys() <= record.keys()
    return {name: value for name, value in (record | fields).items() if value is not None}


def stream(key):
    """Every field, the fewest fields, and a restart."""
    chain = Chain(key, "metrics", "stream")
    chain.control("2026-03-01T12:00:00.000Z", "started")
    chain.add(**call(
        {"promql": "up{token=\"***\"}", "labels": {"é\n": True, "a": [1, None, -2.5]}},
        {"promql": "up{token=\"hunter2\"}", "labels": {"é\n": True, "a": [1, None, -2.5]}},
        time="2026-03-01T12:00:01.250Z", call_id="c-1",
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        principal="anna@example.org", client="Claude \"Code\" \u202e1.0\u001b[0m", tenant="blue",
        tool="query_metrics", effect="write",
        upstream=[
            {"system": "prometheus", "endpoint": "POST /api/v1/query_range", "status": 200, "bytes": 4096,
             "ms": 8.001, "outcome": "ok"},
            {"system": "prometheus", "endpoint": "GET /api/v1/labels", "bytes": 0, "ms": 0.25,
             "outcome": "timeout"},
        ],
        decision="allow", rule="scope metrics:read", outcome="upstream_error",
        rows_seen=1200, rows_shown=20, bytes_out=7999, masked=3, suspicious=1, duration_ms=12.345,
    ))
    chain.add(**call({}, time="2026-03-01T12:00:02.000Z", call_id="c-2", transport="stdio", tool="nonsense"))
    chain.control("2026-03-01T12:00:03.000Z", "stopped")
    first = chain.new_file()

    chain = Chain(key, "metrics", "stream")
    chain.control("2026-03-01T12:05:00.999Z", "started")
    chain.control("2026-03-01T12:05:01.000Z", "stopped")
    return first + chain.new_file()


def rotated(key):
    """Two files: one that was rotated, and one that goes on from it after a crash."""
    archive = "metrics.from-000000000001.jsonl"
    chain = Chain(key, "metrics", "directory")
    chain.control("2026-03-01T12:00:00.000Z", "started")
    chain.add(**call({}, time="2026-03-01T12:00:01.000Z", call_id="c-1", tool="list_firing_alerts"))
    first = chain.new_file()
    chain.control("2026-03-01T12:00:02.000Z", "rotated", previous_file=archive,
                  previous_mac=chain.previous.hex())
    chain.add(**call({}, time="2026-03-01T12:00:02.000Z", call_id="c-2", tool="list_firing_alerts"))
    chain.control("2026-03-01T12:00:03.000Z", "started")
    chain.control("2026-03-01T12:00:03.000Z", "recovered", dropped_bytes=17)
    return {archive: first, "metrics.jsonl": chain.new_file() + b'{"version":1,"sequ'}


def make():
    key = bytes(range(32))
    fixtures = pathlib.Path(__file__).parent / "fixtures"
    (fixtures / "stream.jsonl").write_bytes(stream(key))
    (fixtures / "rotated").mkdir(exist_ok=True)
    for name, data in rotated(key).items():
        (fixtures / "rotated" / name).write_bytes(data)


def main():
    if sys.argv[1:] == ["make"]:
        make()
    elif len(sys.argv) > 3 and sys.argv[1] == "verify":
        for name in sys.argv[3:]:
            records, torn = verify(bytes.fromhex(sys.argv[2]), pathlib.Path(name).read_bytes())
            print(f"{name}: {records} records, {torn} bytes torn")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
