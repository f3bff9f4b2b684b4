# The members of the ensemble, as ZOO_SERVERS lists them:
#   server.ID=HOST:PORT:ELECTION_PORT[:participant|:observer][;[CLIENT_HOST:]CLIENT_PORT]

member_ids=()
declare -A member_lines=() # by id: what stands behind the =
declare -A member_hosts=()
declare -A member_roles=()

readonly member_form='server.ID=HOST:PORT:ELECTION_PORT[:participant|:observer][;CLIENT_PORT]'

# A host or an IPv6 address in brackets, two ports, and maybe a role.
readonly address_pattern='^(\[[0-9a-fA-F:.]+\]|[^]:[]+):([^:]*):([^:]*)(:([^:]*))?$'

# Reads and checks ZOO_SERVERS.
read_members() {
  local line
  [[ $ZOO_SERVERS =~ [^[:space:]] ]] || problem "ZOO_SERVERS has no server; one is written $member_form"
  for line in $ZOO_SERVERS; do read_member "$line"; done
  check_addresses
  check_roles
}

read_member() {
  local line=$1 id rest
  if [[ $line == *,* ]]; then
    problem "ZOO_SERVERS: '$line' has a comma; between servers there are blanks"
    return
  fi
  if ! [[ $line =~ ^server\.([^=]+)=(.+)$ ]]; then
    problem "ZOO_SERVERS: '$line' is not of the form $member_form"
    return
  fi
  id=${BASH_REMATCH[1]}
  rest=${BASH_REMATCH[2]}
  if ! is_id "$id"; then
    problem "ZOO_SERVERS: '$line': the id '$id' is no number from 1 to 255"
  elif [[ -n ${member_lines[$id]:-} ]]; then
    problem "ZOO_SERVERS: there are two servers with the id $id: '${member_lines[$id]}' and '$rest'"
  else
    member_ids+=("$id")
    member_lines[$id]=$rest
    check_member "$id" "$rest"
  fi
}

# Session ids begin with the id of their server, in one byte.
is_id() { [[ $1 =~ ^[1-9][0-9]{0,2}$ ]] && (($1 <= 255)); }

check_member() {
  local id=$1 line=$2 address addresses
  local server=${line%%;*}
  member_roles[$id]=participant
  IFS='|' read -ra addresses <<<"$server"
  for address in "${addresses[@]}"; do check_address "$id" "$line" "$address"; done
  if [[ $line == *';'* ]]; then check_client_part "$id" "$line" "${line#*;}"; fi
}

check_address() {
  local id=$1 line=$2 address=$3 port
  if ! [[ $address =~ $address_pattern ]]; then
    problem "ZOO_SERVERS: server.$id: '$line' is not of the form $member_form"
    return
  fi
  member_hosts[$id]=${BASH_REMATCH[1]}
  local role=${BASH_REMATCH[5]} has_role=${BASH_REMATCH[4]} quorum=${BASH_REMATCH[2]} election=${BASH_REMATCH[3]}
  for port in "$quorum" "$election"; do
    is_port "$port" || problem "ZOO_SERVERS: server.$id: '$port' in '$line' is no port, which is a number from 1 to 65535"
  done
  if [[ $quorum == "$election" ]]; then
    problem "ZOO_SERVERS: server.$id: the two ports in '$line' are the same; one is for followers, one for elections"
  fi
  if [[ -n $has_role ]]; then
    if [[ $role =~ ^(participant|observer)$ ]]; then
      member_roles[$id]=$role
    else
      problem "ZOO_SERVERS: server.$id: '$role' in '$line' is neither participant nor observer"
    fi
  fi
}

check_client_part() {
  local id=$1 line=$2 part=$3
  is_port "${part##*:}" || problem "ZOO_SERVERS: server.$id: '${part##*:}' in '$line' is no port, which is a number from 1 to 65535"
  if [[ $ZOO_CLIENT_PORT == none ]]; then
    problem "ZOO_SERVERS: server.$id: '$line' has a port for clients, which ZOO_CLIENT_PORT=none forbids: leave out ';$part'"
  fi
}

# Two members on one address would be one and the same server.
check_addresses() {
  local id address
  declare -A seen=()
  for id in "${member_ids[@]}"; do
    address=${member_lines[$id]%%;*}
    if [[ -n ${seen[$address]:-} ]]; then
      problem "ZOO_SERVERS: server.${seen[$address]} and server.$id have the same address $address"
    fi
    seen[$address]=$id
  done
}

check_roles() {
  local id participants=0
  for id in "${member_ids[@]}"; do
    if [[ ${member_roles[$id]} == participant ]]; then participants=$((participants + 1)); fi
  done
  if ((${#member_ids[@]} > 0 && participants == 0)); then
    problem 'ZOO_SERVERS has only observers; at least one server has to be a participant'
  elif ((participants == 1 && ${#member_ids[@]} > 1)) && [[ $ZOO_STANDALONE_ENABLED == true ]]; then
    problem 'ZOO_SERVERS has one participant and observers: that takes ZOO_STANDALONE_ENABLED=false'
  fi
}

# Whether this is one server that stands alone, not a member of an ensemble.
stands_alone() { ((${#member_ids[@]} == 1)) && [[ $ZOO_STANDALONE_ENABLED == true ]]; }
