#!/usr/bin/env bash
# record.sh SYSTEM URL: loads documents.ndjson into a cluster of its own and stores its reply to each request of
# requests/ in SYSTEM/NAME.json. A request file is the method and path, then the body as this server sends it (the test
# `requests_are_those_that_were_recorded` holds that).
set -euo pipefail
cd "$(dirname "$0")"
system=$1 url=$2
curl() { command curl --silent --show-error -H 'content-type: application/json' "$@"; }
curl -X DELETE "$url/logs-a,logs-b?ignore_unavailable=true" >/dev/null
for index in logs-a logs-b; do
    curl -X PUT "$url/$index" -d '{"settings":{"number_of_shards":1,"number_of_replicas":0}}' >/dev/null
done
loaded=$(command curl --silent -H 'content-type: application/x-ndjson' --data-binary @documents.ndjson "$url/_bulk?refresh=true")
[[ $loaded == *'"errors":false'* ]] || { echo "$loaded" >&2; exit 1; }
mkdir -p "$system"
for request in requests/*; do
    read -r method path <"$request"
    case $path in */_msearch*) kind=application/x-ndjson ;; *) kind=application/json ;; esac
    command curl --silent --globoff -X "$method" -H "content-type: $kind" --data-binary @<(tail -n +2 "$request") "$url$path" \
        >"$system/$(basename "$request").json"
done
