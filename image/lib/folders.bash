# The folders that the server writes to.

# Checks and makes them.
prepare_folders() {
  local name
  for name in ZOO_DATA_DIR ZOO_DATA_LOG_DIR ZOO_LOG_DIR ZOO_RUN_DIR; do prepare_folder "$name" "${!name}"; done
}

prepare_folder() {
  local name=$1 folder=$2 user
  user=$(id -u):$(id -g)
  mkdir --parents "$folder" 2>/dev/null || true
  if [[ ! -d $folder ]]; then
    problem "$name: there is no folder $folder, and user $user cannot make it"
  elif [[ ! -w $folder ]]; then
    problem "$name: user $user cannot write to $folder; mount a volume, or on the host: chown $user FOLDER"
  fi
}

# Only this user reads what the server is told.
make_private_folders() {
  chmod 0700 "$ZOO_RUN_DIR"
  mkdir --parents "$config_dir"
  chmod 0700 "$config_dir"
}

# A server of 3.4 and its purge, which begins with it, both make these folders where they are missing, and whichever comes
# second ends the server.
make_version_folders() {
  if ! at_least 3.5; then mkdir --parents "$ZOO_DATA_DIR/version-2" "$ZOO_DATA_LOG_DIR/version-2"; fi
}
