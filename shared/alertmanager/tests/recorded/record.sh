#!/usr/bin/env bash
# record.sh ALERTMANAGER DIRECTORY: runs two Alertmanagers that do not know of each other, gives them slightly
# different alerts and silences, and stores what they answer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$1
directory=$2
data=$(mktemp -d)
running=()
trap 'kill "${running[@]}" 2>/dev/null || true; rm -rf "$data"' EXIT

# alert LABELS ANNOTATIONS: one alert that began at midnight and does not end.
alert() {
    jq -cn --argjson labels "$1" --argjson annotations "$2" '[{
        labels: $labels, annotations: $annotations, generatorURL: "http://prometheus.example/graph?g0.expr=up",
        startsAt: "2026-11-21T00:00:00.000Z", endsAt: "2099-01-01T00:00:00.000Z" }]'
}
# silence COMMENT START MATCHERS
silence() {
    jq -cn --arg comment "$1" --arg start "$2" --argjson matchers "$3" '{
        comment: $comment, createdBy: "ada@example.com", startsAt: $start, endsAt: "2099-01-01T00:00:00.000Z",
        matchers: $matchers }'
}
post() { curl --silent --fail --header 'Content-Type: application/json' --data "$3" "$1/api/v2/$2"; }

start() {
    local port=$1
    "$program" --config.file="$here/alertmanager.yml" --storage.path="$data/$port" --cluster.listen-address= \
        --web.listen-address="127.0.0.1:$port" 2>"$data/$port.log" &
    running+=($!)
    curl --silent --fail --retry 20 --retry-delay 1 --retry-connrefused "http://127.0.0.1:$port/-/ready" >/dev/null ||
        { cat "$data/$port.log" >&2; exit 1; }
}

both() {
    local at=$1 ended
    post "$at" alerts "$(alert '{"alertname":"InstanceDown","service":"payment","severity":"critical"}' \
        '{"summary":"payment is down","runbook_url":"https://runbooks.example/InstanceDown"}')"
    post "$at" alerts "$(alert '{"alertname":"HighErrorRate","service":"payment","severity":"warning"}' \
        '{"description":"login with password=hunter2hunter2 fails"}')"
    post "$at" alerts "$(alert '{"alertname":"QueueLong","queue":"exports","severity":"warning"}' '{}')"
    post "$at" alerts "$(alert '{"alertname":"QueueLong","queue":"emails","severity":"warning"}' '{}')"
    post "$at" alerts "$(alert '{"alertname":"NightlyReportLate","team":"batch"}' '{}')"
    post "$at" silences "$(silence 'not yet' 2098-01-01T00:00:00.000Z \
        '[{"name":"queue","value":"e.+","isRegex":true,"isEqual":false}]')" >/dev/null
    ended=$(post "$at" silences "$(silence 'over' 2026-01-01T00:00:00.000Z \
        '[{"name":"queue","value":"images","isRegex":false}]')" | jq -r .silenceID)
    curl --silent --fail --request DELETE "$at/api/v2/silence/$ended"
}
only_a() {
    post "$1" alerts "$(alert '{"alertname":"DiskFull","severity":"critical"}' '{}')"
    post "$1" silences "$(silence 'exports are migrated' 2026-01-01T00:00:00.000Z \
        '[{"name":"alertname","value":"QueueLong","isRegex":false},{"name":"queue","value":"exports","isRegex":false}]')" \
        >/dev/null
}

start 19093
start 19094
both http://127.0.0.1:19093
both http://127.0.0.1:19094
only_a http://127.0.0.1:19093
sleep 4 # until each group has been through the pipeline, which decides what is muted

mkdir -p "$directory"
# store REPLICA PORT PATH ...
store() {
    local replica=$1 port=$2 path
    shift 2
    for path in "$@"; do
        curl --silent --fail --output "$directory/$replica-${path//\//-}.json" "http://127.0.0.1:$port/api/v2/$path"
    done
}
store a 19093 alerts/groups alerts silences status receivers
store b 19094 alerts/groups silences
