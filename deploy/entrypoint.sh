#!/bin/sh
# Runs one of three servers with further options, or any other command (the pod of a run gets
# `dagster api execute_run ...`).
set -eu

role="${1:-webserver}"
if [ $# -gt 0 ]; then shift; fi

case "$role" in
    webserver)
        exec dagster-webserver --workspace "$DAGSTER_HOME/workspace.yaml" \
            --host 0.0.0.0 --port 3000 "$@" ;;
    daemon)
        exec dagster-daemon run --workspace "$DAGSTER_HOME/workspace.yaml" "$@" ;;
    code)
        exec dagster api grpc --module-name taxi_assets.definitions --location-name taxi_assets \
            --host 0.0.0.0 --port 4000 "$@" ;;
    *)
        exec "$role" "$@" ;;
esac
