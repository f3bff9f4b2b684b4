# The server's own configuration file, zoo.cfg.

setting_names=()
declare -A settings=()

# set_to NAME VALUE: the last one counts.
set_to() {
  if [[ -z ${settings[$1]+set} ]]; then setting_names+=("$1"); fi
  settings[$1]=$2
}

# Works out all settings.
make_settings() {
  set_to dataDir "$ZOO_DATA_DIR"
  set_to dataLogDir "$ZOO_DATA_LOG_DIR"
  set_to tickTime "$ZOO_TICK_TIME"
  set_to initLimit "$ZOO_INIT_LIMIT"
  set_to syncLimit "$ZOO_SYNC_LIMIT"
  set_to maxClientCnxns "$ZOO_MAX_CLIENT_CNXNS"
  set_to autopurge.purgeInterval "$ZOO_AUTOPURGE_PURGEINTERVAL"
  set_to autopurge.snapRetainCount "$ZOO_AUTOPURGE_SNAPRETAINCOUNT"
  set_to 4lw.commands.whitelist "$(with_srvr "$ZOO_4LW_COMMANDS_WHITELIST")"
  # A name in Docker may stand for an address that is not this container's own: that of a service.
  set_to quorumListenOnAllIPs true
  if at_least 3.5; then
    set_to standaloneEnabled "$ZOO_STANDALONE_ENABLED"
    set_to reconfigEnabled "$ZOO_RECONFIG_ENABLED"
    set_to admin.enableServer "$ZOO_ADMINSERVER_ENABLED"
    set_to admin.serverAddress "$ZOO_ADMINSERVER_ADDRESS"
  fi
  make_client_settings
  make_security_settings
  make_metrics_settings
  add_extra_settings
}

# The words that may be asked, and the one that the health check asks.
with_srvr() {
  if [[ ,${1// /}, == *,srvr,* || ,${1// /}, == *,'*',* ]]; then echo "$1"; else echo "$1,srvr"; fi
}

# The port for clients stands in the line of a member; a server that stands alone, or has none there, has it here.
make_client_settings() {
  local line=${member_lines[$my_id]} part=''
  if [[ $ZOO_CLIENT_PORT == none ]]; then return; fi
  if [[ $line == *';'* ]]; then part=${line#*;}; fi
  if stands_alone || ! at_least 3.5 || [[ -z $part ]]; then
    set_to clientPort "$(if [[ -n $part ]]; then echo "${part##*:}"; else echo "$ZOO_CLIENT_PORT"; fi)"
    if [[ $part == *:* ]]; then set_to clientPortAddress "${part%:*}"; fi
  fi
  if ! at_least 3.5 && [[ ${member_roles[$my_id]} == observer ]]; then set_to peerType observer; fi
}

make_security_settings() {
  if [[ $ZOO_TLS_CLIENT_PORT != none ]]; then
    set_to secureClientPort "$ZOO_TLS_CLIENT_PORT"
    set_to serverCnxnFactory org.apache.zookeeper.server.NettyServerCnxnFactory
    set_to ssl.clientAuth "$ZOO_TLS_CLIENT_AUTH"
    set_stores ssl
  fi
  if [[ $ZOO_TLS_QUORUM == true ]]; then
    set_to sslQuorum true
    set_stores ssl.quorum
  fi
  if [[ -n $ZOO_SASL_USERS ]]; then set_to authProvider.sasl org.apache.zookeeper.server.auth.SASLAuthenticationProvider; fi
  if [[ $ZOO_SASL_REQUIRED == true ]]; then set_to sessionRequireClientSASLAuth true; fi
  if [[ -n $ZOO_SUPER_PASSWORD ]]; then set_to DigestAuthenticationProvider.superDigest "$(super_digest)"; fi
}

set_stores() {
  set_to "$1.keyStore.location" "$ZOO_RUN_DIR/identity.pem"
  set_to "$1.keyStore.passwordPath" "$ZOO_RUN_DIR/key-password"
  if [[ -n $ZOO_TLS_CA ]]; then
    set_to "$1.trustStore.location" "$ZOO_TLS_CA"
    set_to "$1.trustStore.type" PEM
  fi
}

make_metrics_settings() {
  if [[ $ZOO_METRICS_PORT == none ]] || ! at_least 3.6; then return; fi
  set_to metricsProvider.className zookit.metrics.PrometheusMetrics
  set_to metricsProvider.httpPort "$ZOO_METRICS_PORT"
}

# ZOO_CFG_EXTRA: NAME=VALUE with blanks between, or one a line, and then values may have blanks.
add_extra_settings() {
  local extra lines=$ZOO_CFG_EXTRA
  if [[ $lines != *$'\n'* ]]; then lines=${lines//[[:blank:]]/$'\n'}; fi
  while IFS= read -r extra; do
    extra=${extra#"${extra%%[![:space:]]*}"}
    if [[ -n $extra ]]; then add_extra_setting "${extra%"${extra##*[![:space:]]}"}"; fi
  done <<<"$lines"
}

declare -A set_elsewhere=(
  [dataDir]=ZOO_DATA_DIR [dataLogDir]=ZOO_DATA_LOG_DIR [dynamicConfigFile]=ZOO_SERVERS [secureClientPort]=ZOO_TLS_CLIENT_PORT
)

add_extra_setting() {
  local name=${1%%=*} value=${1#*=}
  if ! [[ $1 =~ ^[A-Za-z0-9._]+=.+$ ]]; then
    problem "ZOO_CFG_EXTRA: '$1' is not of the form NAME=VALUE; values with blanks take one setting a line"
  elif [[ $name == server.* ]]; then
    problem "ZOO_CFG_EXTRA: '$1' belongs into ZOO_SERVERS"
  elif [[ -n ${set_elsewhere[$name]:-} ]]; then
    problem "ZOO_CFG_EXTRA: $name is set by ${set_elsewhere[$name]}"
  elif [[ $name == metricsProvider.className && $value == org.apache.zookeeper.metrics.prometheus.* ]]; then
    # What serves the same here has another name.
    set_to "$name" zookit.metrics.PrometheusMetrics
  else
    set_to "$name" "$value"
  fi
}

# Prints the file. Argument: the file with the members, if the ensemble itself keeps one.
print_zoo_cfg() {
  local name members=${1:-}
  for name in "${setting_names[@]}"; do printf '%s=%s\n' "$name" "${settings[$name]}"; done
  if [[ -n $members ]]; then
    printf 'dynamicConfigFile=%s\n' "$members"
  elif at_least 3.5 && ! stands_alone; then
    for name in "${member_ids[@]}"; do printf 'server.%s=%s\n' "$name" "${member_lines[$name]}"; done
  elif ! stands_alone; then
    print_fixed_members
  fi
}

# Before 3.5 a line names no port for clients, and a role only if it is that of an observer.
print_fixed_members() {
  local id line
  for id in "${member_ids[@]}"; do
    line=${member_lines[$id]%%;*}
    printf 'server.%s=%s\n' "$id" "${line%:participant}"
  done
}

# Members that came by reconfiguration are known to the ensemble, not to ZOO_SERVERS: the server keeps them in a file
# beside its zoo.cfg, and that one counts as long as there is data. Prints its path.
members_of_ensemble() {
  local file
  if [[ $ZOO_RECONFIG_ENABLED == false || ! -r $zoo_cfg ]] || stands_alone || ! at_least 3.5; then return; fi
  file=$(sed --quiet 's/^dynamicConfigFile=//p' "$zoo_cfg")
  if [[ -n $file && -r $file ]]; then echo "$file"; fi
}

write_zoo_cfg() {
  local members given=$config_dir/servers
  members=$(members_of_ensemble)
  if [[ -n $members && -r $given && $ZOO_SERVERS != "$(<"$given")" ]]; then
    note "ZOO_SERVERS has changed, which only counts for a member without data: add and remove members by reconfig"
  fi
  printf '%s\n' "$ZOO_SERVERS" >"$given"
  print_zoo_cfg "$members" >"$zoo_cfg.new"
  mv "$zoo_cfg.new" "$zoo_cfg"
}
