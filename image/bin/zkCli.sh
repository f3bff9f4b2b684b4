#!/usr/bin/env bash
# ZooKeeper's own shell, under the name that it has everywhere.
set -euo pipefail
# shellcheck disable=SC2086 # Blanks are between the flags, as in the script of this name elsewhere.
exec /opt/java/bin/java -Dorg.slf4j.simpleLogger.defaultLogLevel=warn ${CLIENT_JVMFLAGS:-} -cp '/opt/zookeeper/jars/*' \
  org.apache.zookeeper.ZooKeeperMain "$@"
