# How the Java runtime is started.

# MiB that this container may use; nothing if there is no limit.
memory_limit() {
  local file limit
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [[ -r $file ]]; then limit=$(<"$file"); fi
  done
  # Without a limit the old groups tell one that no machine has.
  if [[ ${limit:-max} != max ]] && ((limit < 1 << 50)); then echo $((limit >> 20)); fi
}

# The heap in MiB: as told by ZK_SERVER_HEAP, as in ZooKeeper's own scripts; else by the memory of the container.
heap_size() {
  local limit
  limit=$(memory_limit)
  if [[ -n ${ZK_SERVER_HEAP:-} ]]; then
    echo "$ZK_SERVER_HEAP"
  elif [[ -n $limit ]]; then
    # The rest is for threads, code and buffers, and for what the system keeps of the files.
    echo $((limit * 6 / 10))
  else
    echo 1000
  fi
}

check_heap() {
  local limit
  limit=$(memory_limit)
  if ! [[ ${ZK_SERVER_HEAP:-1} =~ ^[1-9][0-9]{0,6}$ ]]; then
    problem "ZK_SERVER_HEAP: '$ZK_SERVER_HEAP' is no number of megabytes"
  elif [[ -n $limit ]] && ((${ZK_SERVER_HEAP:-1} >= limit)); then
    problem "ZK_SERVER_HEAP: $ZK_SERVER_HEAP MB do not fit into the $limit MB of this container"
  elif [[ -n $limit ]] && ((limit < 96)); then
    problem "this container has $limit MB of memory; a server takes at least 96 MB"
  fi
}

check_log_level() {
  [[ ${ZOO_LOG_LEVEL,,} =~ ^(trace|debug|info|warn|error|off)$ ]] ||
    problem "ZOO_LOG_LEVEL: '$ZOO_LOG_LEVEL' is none of trace, debug, info, warn, error and off"
}

java_options=()

make_java_options() {
  local given="$JVMFLAGS ${SERVER_JVMFLAGS:-}"
  local logger=-Dorg.slf4j.simpleLogger
  java_options=(
    -XX:+ExitOnOutOfMemoryError -XX:-CreateCoredumpOnCrash -XX:-UsePerfData "-XX:ErrorFile=$ZOO_LOG_DIR/java-error-%p.log"
    "$logger.logFile=System.out" "$logger.defaultLogLevel=${ZOO_LOG_LEVEL,,}" "$logger.showDateTime=true"
    "$logger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ" "$logger.showShortLogName=true"
    # The AdminServer's own container of servlets has much to say, and nothing that an operator needs.
    "$logger.log.org.eclipse.jetty=error"
    -Djava.security.properties=/opt/zookeeper/lib/java.security
    "-Dzookeeper.log.dir=$ZOO_LOG_DIR" -Dzookeeper.jmx.log4j.disable=true
  )
  if [[ $given != *-Xmx* && $given != *RAMPercentage=* ]]; then java_options+=("-Xmx$(heap_size)m"); fi
  if [[ -e $ZOO_RUN_DIR/jaas.conf ]]; then java_options+=("-Djava.security.auth.login.config=$ZOO_RUN_DIR/jaas.conf"); fi
  # As in ZooKeeper's own scripts, blanks are between the flags.
  # shellcheck disable=SC2206
  java_options+=($given)
}

# Becomes the server: it is process 1, so signals reach it, and it knows nothing of our variables.
run_server() {
  local name names
  # Not by a process beside this one: what is left of that would be a child of the server, which does not bury it.
  names=$(compgen -e ZOO_ || true)
  for name in $names; do unset "$name"; done
  unset JVMFLAGS SERVER_JVMFLAGS ZK_SERVER_HEAP
  exec /opt/java/bin/java "${java_options[@]}" -cp '/opt/zookeeper/jars/*' \
    org.apache.zookeeper.server.quorum.QuorumPeerMain "$1"
}
