"""load.py URL: makes an index `big` of a million records of 2 KB and one `huge` of twenty records of 5 MB.

For the memory test (../../memory.rs); takes about ten minutes and 2.3 GB.
"""

import http.client
import json
import random
import sys

RECORDS, AT_ONCE = 1_000_000, 4_000
START = 1_768_392_000_000  # 2026-01-14T12:00:00Z

client = http.client.HTTPConnection(sys.argv[1].removeprefix("http://"))
dice = random.Random(1)
words = ["".join(dice.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(dice.randint(3, 10))) for _ in range(3000)]
filling = [" ".join(dice.choice(words) for _ in range(260)) for _ in range(200)]


def send(method, path, body, kind="application/json"):
    client.request(method, path, body, {"content-type": kind})
    reply = client.getresponse()
    text = reply.read()
    assert reply.status < 300 and b'"errors":true' not in text[:200], text[:300]


def record(number):
    failed = number % 50 == 0
    said = f"request {number} failed after" if failed else f"request {number} served in"
    return {
        "@timestamp": START + number * 7,
        "log.level": "error" if failed else "info",
        "message": f"{said} {number % 977} ms: {filling[number % 200]}",
        "service": {"name": f"svc{number % 7}"},
        "host": {"name": f"n{number % 5}"},
    }


fields = {
    "@timestamp": {"type": "date"},
    "message": {"type": "text"},
    "log.level": {"type": "keyword"},
    "service": {"properties": {"name": {"type": "keyword"}}},
}
settings = {"number_of_shards": 2, "number_of_replicas": 0, "refresh_interval": "-1"}
for index in ["big", "huge"]:
    send("PUT", f"/{index}", json.dumps({"settings": settings, "mappings": {"properties": fields}}))
for first in range(0, RECORDS, AT_ONCE):
    lines = []
    for number in range(first, first + AT_ONCE):
        lines += [json.dumps({"index": {"_id": str(number)}}), json.dumps(record(number))]
    send("POST", "/big/_bulk", "\n".join(lines) + "\n", "application/x-ndjson")
for number in range(20):
    text = " ".join(dice.choice(words) for _ in range(715_000))
    document = {"@timestamp": START + number * 1000, "log.level": "error", "message": f"boom {number} {text}"}
    send("POST", "/huge/_doc", json.dumps(document | {"service": {"name": "svc"}}))
send("POST", "/big,huge/_refresh", "")
