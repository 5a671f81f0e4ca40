#!/usr/bin/env bash
# Asks the running testbed (cargo xtask testbed up, then two minutes of patience) and stores each reply, byte
# for byte except for ports and paths, in recorded/SYSTEM/NAME.json, with a list in recorded/README.md.
set -euo pipefail
cd "$(dirname "$0")/recorded"

cache="${OBSERVABILITY_MCP_TESTBED:-${XDG_CACHE_HOME:-$HOME/.cache}/observability-mcp/testbed}"
endpoints="$cache/run/endpoints.json"
url() { jq -er --arg name "$1" '.[$name].url' "$endpoints"; }
cluster() { jq -er --arg name "$1" '.[$name].cluster' "$endpoints"; }

# The usual ports instead of this run's, and no path of this machine.
stable() {
    sed -e "s#$cache#/testbed#g" \
        -e "s#$(url prometheus | cut -c8-)#127.0.0.1:9090#g" \
        -e "s#$(url prometheus-old | cut -c8-)#127.0.0.1:9091#g" \
        -e "s#$(url alertmanager | cut -c8-)#127.0.0.1:9093#g" \
        -e "s#$(url alertmanager-2 | cut -c8-)#127.0.0.1:9094#g" \
        -e "s#$(cluster alertmanager)#127.0.0.1:9193#g" \
        -e "s#$(cluster alertmanager-2)#127.0.0.1:9194#g" \
        -e "s#$(url load | cut -c8-)#127.0.0.1:8080#g"
}

list=$(mktemp)
trap 'rm -f "$list"' EXIT
# record SYSTEM/NAME URL PATH [PARAMETER=VALUE ...]; a NAME that ends in .txt is not JSON.
record() {
    local name=$1 base=$2 path=$3 file shown parameter status
    shift 3
    case $name in *.txt) file=$name ;; *) file=$name.json ;; esac
    shown=$path
    local arguments=()
    for parameter in "$@"; do
        arguments+=(--data-urlencode "$parameter")
        shown+=" $(sed -e "s/=$start\$/=START/" -e "s/=$end\$/=END/" <<<"$parameter")"
    done
    mkdir -p "$(dirname "$file")"
    status=$(curl --silent --get --output "$file" --write-out '%{http_code}' "$base$path" "${arguments[@]}")
    stable <"$file" >"$file.new" && mv "$file.new" "$file"
    [ "$(wc -c <"$file")" -lt 40000 ] || { rm "$file"; echo "$file is too large" >&2; exit 1; }
    echo "| $file | $status | \`${shown//|/\\|}\` |" | stable >>"$list"
}

end=$(date +%s)
start=$((end - 60))
range=("start=$start" "end=$end")
born=$(curl --silent "$(url load)/metrics" | sed -n 's/^process_start_time_seconds \([0-9]*\).*/\1/p')

prometheus() {
    local system=$1 at=$2
    ask() { local name=$1 path=$2; shift 2; record "$system/$name" "$at" "/api/v1/$path" "$@"; }
    local native='prometheus_http_request_duration_seconds{handler="/metrics"}'

    ask query_vector query 'query=http_requests_total{service="checkout"}'
    ask query_vector_empty query 'query=no_such_metric'
    ask query_vector_not_finite query 'query={__name__=~"cache_hit_ratio|request_budget_seconds"}'
    ask query_vector_classic_histogram query \
        'query=http_request_duration_seconds_bucket{service="payment",route="/charge"}'
    ask query_vector_native_histogram query "query=$native"
    ask query_vector_native_rate query "query=sum(rate({__name__=\"prometheus_http_request_duration_seconds\"}[1m]))"
    ask query_vector_stats query 'query=sum(rate(http_requests_total[30s]))' 'stats=all'
    # Names that need quotes: Prometheus 2 refuses them.
    ask query_vector_utf8 query 'query={"queue.oldest.message.age"}'
    ask label_values_utf8 label/U__queue_2e_name/values
    ask query_matrix query 'query=queue_depth{queue="emails"}[5s]'
    ask query_scalar query 'query=scalar(vector(1.5))'
    ask query_string query 'query="a string"'
    ask query_infos query 'query=rate(queue_depth[30s])'
    ask query_warnings query 'query=histogram_quantile(2, rate(http_request_duration_seconds_bucket[30s]))'
    ask query_alerts query 'query=ALERTS'
    ask query_error_parse query 'query=sum(rate(http_requests_total[1m])'
    ask query_error_execution query 'query=queue_depth * on() queue_depth'
    local heavy='query=sum(last_over_time({__name__=~".+"}[10m:100ms]))'
    ask query_error_timeout query "$heavy" timeout=40ms
    ask query_error_timeout_at_once query "$heavy" timeout=1ms
    ask query_error_missing query
    ask range_matrix query_range 'query=sum by (service, code) (rate(http_requests_total[15s]))' \
        "${range[@]}" step=5
    ask range_matrix_gaps query_range 'query=queue_depth{queue="emails"} % 2 == 0' "${range[@]}" step=1
    # One version ends and another begins a minute after the load generator's start.
    ask range_matrix_version query_range 'query=app_build_info' "start=$born" "end=$((born + 120))" step=15
    ask range_native_histogram query_range "query=$native" "${range[@]}" step=30
    ask range_infos query_range 'query=rate(queue_depth{queue="emails"}[30s])' "${range[@]}" step=30
    ask range_error_points query_range 'query=up' "start=$((end - 86400))" "end=$end" step=1
    ask exemplars query_exemplars 'query=http_request_duration_seconds_bucket{service="payment",le="0.1"}' \
        "start=$((end - 5))" "end=$end"
    ask series series 'match[]=queue_depth' "${range[@]}"
    ask series_limited series 'match[]=worker_latency_seconds' "${range[@]}" limit=3
    ask labels labels 'match[]=http_requests_total' "${range[@]}"
    ask label_values label/service/values "${range[@]}"
    ask label_values_names label/__name__/values 'match[]={job="load"}' "${range[@]}"
    ask metadata metadata limit=5
    ask metadata_one metadata metric=prometheus_http_requests_total
    # A scrape in OpenMetrics stores the family's name, without _total.
    ask metadata_openmetrics metadata metric=http_requests
    ask metadata_openmetrics_total metadata metric=http_requests_total
    ask targets targets state=active
    ask targets_metadata targets/metadata 'match_target={job="load"}'
    ask rules rules
    ask rules_alerts rules type=alert
    ask alerts alerts
    ask status_tsdb status/tsdb limit=10
    ask status_buildinfo status/buildinfo
    ask unknown_path.txt no/such/path
}

prometheus prometheus-3 "$(url prometheus)"
prometheus prometheus-2 "$(url prometheus-old)"

ask() { local name=$1 path=$2; shift 2; record "alertmanager-0.28/$name" "$(url alertmanager)" "/api/v2/$path" "$@"; }
ask alerts alerts
ask alerts_filtered alerts 'filter=alertname="HighErrorRate"' 'inhibited=false'
ask alerts_error_filter alerts 'filter={'
ask groups alerts/groups
ask silences silences
ask silence_unknown silence/00000000-0000-0000-0000-000000000000
ask silence_error_id silence/no-such-id
ask status status
ask receivers receivers
record alertmanager-0.28/groups_replica_2 "$(url alertmanager-2)" /api/v2/alerts/groups

{
    echo '# Recorded replies'
    echo
    echo 'Made by `testbed/record.sh` from the testbed; do not edit. Ports are replaced: 9090 is Prometheus 3,'
    echo '9091 the old one, 9093 and 9094 the Alertmanagers, 8080 the load generator.'
    echo "START is $start and END is $end; values of a parameter are shown before URL encoding."
    echo
    echo '| file | status | GET |'
    echo '|---|---|---|'
    cat "$list"
} >README.md
