# The variables that configure a server: those of the official image in its meaning, and ours.
# Each can also come as NAME_FILE, the path of a file with the value, as Docker gives out secrets.

# Name, kind, default. Kinds: text, secret, path, file, flag, port, port-or-none, count (0 and up), number (1 and up).
variables='
ZOO_MY_ID text
ZOO_SERVERS text server.1=localhost:2888:3888;2181
ZOO_CLIENT_PORT port-or-none 2181
ZOO_TICK_TIME number 2000
ZOO_INIT_LIMIT number 5
ZOO_SYNC_LIMIT number 2
ZOO_MAX_CLIENT_CNXNS count 60
ZOO_AUTOPURGE_PURGEINTERVAL count 1
ZOO_AUTOPURGE_SNAPRETAINCOUNT number 3
ZOO_STANDALONE_ENABLED flag true
ZOO_RECONFIG_ENABLED flag true
ZOO_ADMINSERVER_ENABLED flag true
ZOO_ADMINSERVER_ADDRESS text 127.0.0.1
ZOO_4LW_COMMANDS_WHITELIST text srvr,ruok,mntr
ZOO_METRICS_PORT port-or-none 7000
ZOO_CFG_EXTRA text
ZOO_CONF_DIR path /conf
ZOO_DATA_DIR path /data
ZOO_DATA_LOG_DIR path /datalog
ZOO_LOG_DIR path /logs
ZOO_RUN_DIR path /dev/shm/zookeeper
ZOO_LOG_LEVEL text info
ZOO_HEALTH_JOIN_SECONDS count 30
ZOO_SUPER_PASSWORD secret
ZOO_SASL_USERS secret
ZOO_SASL_REQUIRED flag false
ZOO_TLS_CLIENT_PORT port-or-none none
ZOO_TLS_CERT file
ZOO_TLS_KEY file
ZOO_TLS_KEY_PASSWORD secret
ZOO_TLS_CA file
ZOO_TLS_CLIENT_AUTH text
ZOO_TLS_QUORUM flag false
'

# Names of the official image that mean nothing here, and why; they are no slips.
declare -A without_meaning=(
  [ZOO_LOG4J_PROP]='ZOO_LOG_LEVEL sets the level'
)

# Fills each variable: from the environment, its file, or the default.
load_variables() {
  local name kind default
  while read -r name kind default; do
    if [[ -n $name ]]; then load_variable "$name" "$default"; fi
  done <<<"$variables"
  warn_of_unknown
}

load_variable() {
  local name=$1 default=$2 file_name=$1_FILE
  local file=${!file_name:-}
  if [[ -n $file && -n ${!name:-} ]]; then
    problem "$name and $file_name are both set; which one counts?"
  elif [[ -n $file && ! -r $file ]]; then
    problem "$file_name: $file cannot be read by user $(id -u)"
    printf -v "$name" %s "$default"
  elif [[ -n $file ]]; then
    printf -v "$name" %s "$(<"$file")"
  elif [[ -z ${!name:-} ]]; then
    printf -v "$name" %s "$default"
  fi
}

# Checks each variable by its kind.
check_variables() {
  local name kind _
  while read -r name kind _; do
    if [[ -n $name ]]; then check_variable "$name" "$kind" "${!name}"; fi
  done <<<"$variables"
}

check_variable() {
  local name=$1 kind=$2 value=$3
  case $kind in
    flag) [[ $value =~ ^(true|false)$ ]] || problem "$name: '$value' is neither true nor false" ;;
    count) [[ $value =~ ^(0|[1-9][0-9]{0,8})$ ]] || problem "$name: '$value' is no number from 0 up" ;;
    number) [[ $value =~ ^[1-9][0-9]{0,8}$ ]] || problem "$name: '$value' is no number from 1 up" ;;
    port) is_port "$value" || problem "$name: '$value' is no port, which is a number from 1 to 65535" ;;
    port-or-none) [[ $value == none ]] || is_port "$value" || problem "$name: '$value' is neither a port, 1 to 65535, nor none" ;;
    path) [[ $value == /* ]] || problem "$name: '$value' is no absolute path" ;;
    file) [[ -z $value || -r $value ]] || problem "$name: $value cannot be read by user $(id -u)" ;;
    *) ;;
  esac
}

is_port() { [[ $1 =~ ^[1-9][0-9]{0,4}$ ]] && (($1 <= 65535)); }

# A slip in a name would else go unseen. Kubernetes sets ZOO_PORT and its like for a service named zoo.
warn_of_unknown() {
  local name known
  known=$(awk '{ print $1; print $1 "_FILE" }' <<<"$variables")
  while read -r name; do
    if [[ -z $name ]]; then continue; fi
    if [[ -n ${without_meaning[$name]:-} ]]; then
      note "$name is not used: ${without_meaning[$name]}"
    elif ! grep --quiet --line-regexp "$name" <<<"$known" && ! [[ $name =~ _(SERVICE_HOST|SERVICE_PORT.*|PORT(_.*)?)$ ]]; then
      note "$name is no variable of this image, so it is not used"
    fi
  done <<<"$(compgen -e ZOO_ || true)"
}

# Name and default, a line each: for documents and tests.
print_variables() {
  awk 'NF { name = $1; $1 = $2 = ""; sub(/^ +/, ""); print name "=" $0 }' <<<"$variables"
}
