# What is wrong with the configuration is gathered, so that one start tells all of it.

problems=()

# problem WORDS: something that keeps the server from being started.
problem() { problems+=("$*"); }

# note WORDS: something that whoever runs this should know.
note() { printf 'zookeeper: note: %s\n' "$*" >&2; }

# Ends with 64, EX_USAGE of sysexits, if there was a problem.
stop_at_problems() {
  ((${#problems[@]} == 0)) && return
  printf 'zookeeper: %s\n' "${problems[@]}" >&2
  exit 64
}
