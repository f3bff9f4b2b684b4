# Which member of the list this server is.

my_id=''

# Finds it: by ZOO_MY_ID, by what the data belong to, by the name of this host.
find_my_id() {
  local stored=''
  if [[ -e $ZOO_DATA_DIR/myid ]]; then stored=$(head --lines=1 "$ZOO_DATA_DIR/myid" | tr --delete '[:space:]'); fi
  if [[ -n $ZOO_MY_ID ]]; then
    take_given_id "$stored"
  elif [[ -n $stored ]]; then
    my_id=$stored
  elif ((${#member_ids[@]} == 1)); then
    my_id=${member_ids[0]}
  else
    my_id=$(id_by_host)
    if [[ -z $my_id ]]; then
      problem "ZOO_MY_ID is not set, and the host name $HOSTNAME does not tell which of the servers ${member_ids[*]} this is"
    fi
  fi
  if [[ -n $my_id && -z ${member_lines[$my_id]:-} ]]; then
    problem "ZOO_MY_ID: $my_id is none of the servers of ZOO_SERVERS, which are ${member_ids[*]}"
  fi
}

take_given_id() {
  local stored=$1
  if [[ $ZOO_MY_ID == *'{{'* ]]; then
    problem "ZOO_MY_ID: '$ZOO_MY_ID' is a template that nobody has filled in; Swarm does so for services, not for containers"
  elif ! is_id "$ZOO_MY_ID"; then
    problem "ZOO_MY_ID: '$ZOO_MY_ID' is no number from 1 to 255"
  elif [[ -n $stored && $stored != "$ZOO_MY_ID" ]]; then
    problem "ZOO_MY_ID: it is $ZOO_MY_ID, but the data in $ZOO_DATA_DIR belong to server $stored; is this the wrong volume?"
  else
    my_id=$ZOO_MY_ID
  fi
}

# The member that has this host's name; or the number at the end of the name, as in zoo3 or zookeeper-3.
id_by_host() {
  local id found=() label=${HOSTNAME%%.*}
  for id in "${member_ids[@]}"; do
    if [[ ${member_hosts[$id]} == "$HOSTNAME" || ${member_hosts[$id]%%.*} == "$label" ]]; then found+=("$id"); fi
  done
  if ((${#found[@]} == 1)); then
    echo "${found[0]}"
  elif ((${#found[@]} == 0)) && ! [[ $label =~ ^[0-9a-f]{12}$ ]] && [[ $label =~ [^0-9]0*([1-9][0-9]*)$ ]]; then
    # Twelve hexadecimal digits are the name that Docker gives to a container without one: its end says nothing.
    if [[ -n ${member_lines[${BASH_REMATCH[1]}]:-} ]]; then echo "${BASH_REMATCH[1]}"; fi
  fi
}

store_my_id() {
  if [[ ! -e $ZOO_DATA_DIR/myid ]]; then echo "$my_id" >"$ZOO_DATA_DIR/myid"; fi
}
