# TLS, SASL users and the super user. What is secret stays in files of the run folder, which only this user may read:
# never in an argument or the environment of the server.

# Checks all that is about TLS and SASL.
check_credentials() {
  local tls=false
  if [[ $ZOO_TLS_CLIENT_PORT != none || $ZOO_TLS_QUORUM == true ]]; then tls=true; fi
  if $tls; then check_tls; fi
  if [[ $ZOO_CLIENT_PORT == none && $ZOO_TLS_CLIENT_PORT == none ]]; then
    problem 'ZOO_CLIENT_PORT and ZOO_TLS_CLIENT_PORT are both none: no client could connect'
  fi
  if [[ $ZOO_CLIENT_PORT == none && $ZOO_ADMINSERVER_ENABLED == false ]]; then
    problem 'ZOO_CLIENT_PORT=none takes ZOO_ADMINSERVER_ENABLED=true: without both, nothing can tell how the server is'
  fi
  if [[ $ZOO_SASL_REQUIRED == true && -z $ZOO_SASL_USERS && $JVMFLAGS != *java.security.auth.login.config=* ]]; then
    problem 'ZOO_SASL_REQUIRED=true without ZOO_SASL_USERS: no client could connect'
  fi
  if [[ $ZOO_SASL_REQUIRED == true ]] && ! at_least 3.6; then
    problem "ZOO_SASL_REQUIRED: ZooKeeper $version cannot demand it; that came with 3.6"
  fi
  if [[ -n $ZOO_SASL_USERS && $JVMFLAGS == *java.security.auth.login.config=* ]]; then
    problem 'ZOO_SASL_USERS and java.security.auth.login.config in JVMFLAGS: which one counts?'
  fi
  check_sasl_users
}

check_tls() {
  local name
  if ! at_least 3.8; then
    problem "ZOO_TLS_CLIENT_PORT, ZOO_TLS_QUORUM: the TLS of this image takes ZooKeeper 3.8 or later, and this is $version"
  fi
  for name in ZOO_TLS_CERT ZOO_TLS_KEY; do
    [[ -n ${!name} ]] || problem "$name is not set; TLS takes a certificate and its key, as paths of PEM files"
  done
  check_pem ZOO_TLS_CERT 'CERTIFICATE'
  check_pem ZOO_TLS_KEY '(ENCRYPTED )?PRIVATE KEY'
  check_pem ZOO_TLS_CA 'CERTIFICATE'
  if [[ -z $ZOO_TLS_CLIENT_AUTH ]]; then
    ZOO_TLS_CLIENT_AUTH=$([[ -n $ZOO_TLS_CA ]] && echo need || echo none)
  elif ! [[ $ZOO_TLS_CLIENT_AUTH =~ ^(need|want|none)$ ]]; then
    problem "ZOO_TLS_CLIENT_AUTH: '$ZOO_TLS_CLIENT_AUTH' is none of need, want and none"
  elif [[ -z $ZOO_TLS_CA && $ZOO_TLS_CLIENT_AUTH != none ]]; then
    problem "ZOO_TLS_CLIENT_AUTH=$ZOO_TLS_CLIENT_AUTH takes ZOO_TLS_CA, the authorities of the clients' certificates"
  fi
  if [[ -z $ZOO_TLS_CA && $ZOO_TLS_QUORUM == true ]]; then
    problem 'ZOO_TLS_QUORUM=true takes ZOO_TLS_CA: the members check the certificates of each other'
  fi
}

# check_pem VARIABLE WHAT: whether the file has such a part.
check_pem() {
  local file=${!1}
  [[ -z $file || ! -r $file ]] && return
  if grep --quiet -- '-----BEGIN RSA PRIVATE KEY-----' "$file"; then
    problem "$1: $file is in the old form PKCS #1; ZooKeeper reads PKCS #8: openssl pkcs8 -topk8 -nocrypt"
  elif ! grep --quiet --extended-regexp -- "-----BEGIN $2-----" "$file"; then
    problem "$1: there is no '-----BEGIN $(sed --regexp-extended 's/\(.*\)\?//' <<<"$2")-----' in $file; it has to be PEM"
  fi
}

check_sasl_users() {
  local user
  for user in $ZOO_SASL_USERS; do
    # The password is not told, nor what might be one.
    [[ $user =~ ^[^:]+:.+$ ]] || problem 'ZOO_SASL_USERS: there is an entry that is not of the form user:password'
  done
}

# The files that the server reads its secrets from.
write_credentials() {
  local user
  if [[ -n $ZOO_TLS_KEY ]]; then
    cat "$ZOO_TLS_KEY" "$ZOO_TLS_CERT" >"$ZOO_RUN_DIR/identity.pem"
    printf %s "$ZOO_TLS_KEY_PASSWORD" >"$ZOO_RUN_DIR/key-password"
  fi
  if [[ -n $ZOO_SASL_USERS ]]; then
    {
      printf 'Server {\n  org.apache.zookeeper.server.auth.DigestLoginModule required'
      for user in $ZOO_SASL_USERS; do
        printf '\n  "user_%s"="%s"' "$(escaped "${user%%:*}")" "$(escaped "${user#*:}")"
      done
      printf ';\n};\n'
    } >"$ZOO_RUN_DIR/jaas.conf"
  fi
}

# As it stands between quotes in a JAAS file.
escaped() {
  local text=${1//\\/\\\\}
  echo "${text//\"/\\\"}"
}

# The id of user super in the digest scheme: super:base64(sha1(super:PASSWORD)).
super_digest() {
  local bytes
  bytes=$(printf 'super:%s' "$ZOO_SUPER_PASSWORD" | sha1sum | cut --characters=1-40 | sed 's/../\\x&/g')
  printf 'super:%s' "$(printf %b "$bytes" | base64)"
}
