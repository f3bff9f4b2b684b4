#!/usr/bin/env bash
# What is asked of ZooKeeper's own script in a container: to start the server there, and how it is.
set -euo pipefail
case ${1:-} in
  start-foreground) exec entrypoint ;;
  status) exec health ;;
  version) exec entrypoint version ;;
  *)
    echo 'usage: zkServer.sh start-foreground | status | version' >&2
    exit 64
    ;;
esac
