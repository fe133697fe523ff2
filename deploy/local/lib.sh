# What the scripts of this folder and tests/run share: how they speak, take turns,
# draw ports and secrets, and tell whether a process is theirs. Sourced, never run.
# shellcheck shell=bash

say() { printf '%s\n' "$@" >&2; }

die() {
  printf '\n%s: %s\n' "${0##*/}" "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# The comment at the head of a script is its help, so that the two cannot part.
print_help() { sed -n '2,/^[^#]/{/^#/!d; s/^# \{0,1\}//; p}' "$0"; }

# lock FILE: holds descriptor 9 until unlock or the end of the script; fails where the folder is not there.
# Whatever outlives the script must be started with `9>&-`, or it would hold the lock for ever.
lock() {
  while true; do
    { exec 9>>"$1"; } 2>/dev/null || return 1
    if ! flock -n 9; then
      say "Another command is at work in ${1%/*}; waiting for it."
      flock -w 3600 9 || die "the other command did not finish within an hour" \
        "It holds the lock $1; see what it waits for, or end it."
    fi
    # A purge may have removed the file while this command waited for it. (The 0 is not idle: a bare
    # `return` within a trap means the status from before the trap.)
    [[ ! $1 -ef /proc/self/fd/9 ]] || return 0
    exec 9>&-
  done
}

unlock() { exec 9>&-; }

# alive PID NEEDLE: is the process there, and is it the one that was started? Only the
# command line can tell: a signal 0 also reaches a zombie, and ids are used again.
alive() {
  local args=()
  [[ ${1:-} =~ ^[0-9]+$ && -r /proc/$1/cmdline ]] || return 1
  mapfile -d '' -t args <"/proc/$1/cmdline" 2>/dev/null || return 1
  [[ "${args[*]-}" == *"$2"* ]]
}

# recorded_pid FILE: the process id that stands first in the file. `read` fails at a
# file without a final newline, yet has read it.
recorded_pid() {
  local pid=
  [[ ! -r $1 ]] || read -r pid <"$1" || true
  printf '%s' "$pid"
}

# until_true SECONDS COMMAND…: polls, bounded.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.05
  done
}

gone() { ! alive "$@"; }

# end_process PID NEEDLE SIGNAL SECONDS: asks, waits, and insists only when that was in vain.
end_process() {
  alive "$1" "$2" || return 0
  kill -s "$3" "$1" 2>/dev/null || true
  ! until_true "$4" gone "$1" "$2" || return 0
  say "Process $1 did not end within $4 s of SIG$3; killing it."
  kill -s KILL "$1" 2>/dev/null || true
  until_true 10 gone "$1" "$2"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
silent() { ! answers "$1"; }

# free_port TAKEN…: below the range from which the kernel takes ports for outgoing connections.
free_port() {
  local port
  while true; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    [[ " $* " != *" $port "* ]] && ! answers "$port" && break
  done
  printf '%s' "$port"
}

# The ports of what runs here, by name, kept in a file of NAME=PORT lines.
declare -A port=()

read_ports() {
  local name number
  [[ -r $1 ]] || return 0
  while IFS='=' read -r name number; do port[$name]=$number; done <"$1"
}

# keep_ports FILE NAME…: drawn once and kept, so that addresses stay good over restarts. Called for
# what does not run: a port that goes on answering was taken by another program meanwhile, and is drawn
# anew. For a moment it may be our own that answers: a process that was killed loses its command line
# before its sockets.
keep_ports() {
  local file=$1 name changed=
  shift
  read_ports "$file"
  for name in "$@"; do
    [[ -z ${port[$name]-} ]] || ! until_true 10 silent "${port[$name]}" || continue
    [[ -z ${port[$name]-} ]] || say "Port ${port[$name]} ($name) was taken by another program; drawing a new one."
    port[$name]=$(free_port "${port[@]}")
    changed=1
  done
  [[ -n $changed ]] || return 0
  for name in "${!port[@]}"; do printf '%s=%s\n' "$name" "${port[$name]}"; done | sort >"$file.new"
  mv "$file.new" "$file"
}

# postgres_tools TOOL [DATA]: the folder of the newest PostgreSQL here that has the tool, or of the one that
# made the data. Not by PATH: Debian's wrappers there look for the machine's own server.
postgres_tools() {
  local version='' found
  [[ ! -r ${2-}/PG_VERSION ]] || read -r version <"$2/PG_VERSION"
  found=$(compgen -G "/usr/lib/postgresql/${version:-*}/bin/$1" | sort -V | tail -n 1) || true
  printf '%s' "${found%/*}"
}

# The fonts that documents are set in, as services and tests are told them: files between colons, the preferred first.
# One that has Chinese must be among them. Unless they are named, the one of the package fonts-wqy-zenhei.
fonts() { printf '%s' "${ZHENGMING_FONTS:-/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc}"; }

# A log that has grown beyond 16 MiB makes room at the next start.
rotate() { [[ ! -s $1 || $(stat -c %s "$1") -lt 16777216 ]] || mv "$1" "$1.1"; }

# Enough open files for many connections; not without limit, as some programs set up a table of all.
raise_open_files() {
  local files
  files=$(ulimit -Hn)
  [[ $files != unlimited && $files -lt 65536 ]] || files=65536
  ulimit -Sn "$files"
}

# secret FILE [BYTES]: the secret in the file, drawn at its first use. Renamed into place,
# so that a script ended half-way leaves no half of one.
secret() {
  if [[ ! -s $1 ]]; then
    (
      umask 077
      mkdir -p "${1%/*}"
      od -An -N "${2:-24}" -tx1 /dev/urandom | tr -d ' \n' >"$1.new"
      mv "$1.new" "$1"
    )
  fi
  cat "$1"
}

# ------------------------------------------------- services that `up` runs in target/local

# service_runs LOCAL SERVICE: they are run from copies in LOCAL/bin, which is how we know them.
service_runs() { alive "$(recorded_pid "$1/run/$2.pid")" "$1/bin/$2"; }

# SIGTERM drains a service: it finishes what it has taken.
stop_service() {
  local pid_file=$1/run/$2.pid
  end_process "$(recorded_pid "$pid_file")" "$1/bin/$2" TERM 30
  rm -f "$pid_file"
}

# stop_services LOCAL SERVICE…: all at once, as each may take its time.
stop_services() {
  local service stopping=()
  for service in "${@:2}"; do
    stop_service "$1" "$service" &
    stopping+=("$!")
  done
  ((${#stopping[@]} == 0)) || wait "${stopping[@]}"
}
