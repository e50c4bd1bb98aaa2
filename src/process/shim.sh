# Runs one attempt of a task: sh shim.sh DIRECTORY CAP_BYTES TAIL_BYTES CGROUP STREAMS COMMAND
#
# It outlives the daemon. In DIRECTORY it leaves
#   started    who it is; made with noclobber, so that exactly one of shim and daemon decides whether it ran
#   log        what COMMAND printed, as it prints it, up to CAP_BYTES; nobody needs to read for COMMAND to go on
#   log.tail   the last TAIL_BYTES of what came after that
#   log.cut    there when something between the two was not kept
#   output     the same for standard output alone, with STREAMS=split
#   exit       exit status and CPU times, put there by rename; its space was reserved beforehand as exit.tmp
# The braces make the shell read all of this file before it runs any of it.
{
  directory=$1 cap=$2 tail=$3 cgroup=$4 streams=$5 command=$6

  # Handlers rather than '' so that COMMAND starts with default signals while the shim lives to record its end.
  trap : INT TERM HUP QUIT

  joined=
  if [ -n "$cgroup" ] && echo 0 2>/dev/null >"$cgroup/cgroup.procs"; then joined=$cgroup; fi
  IFS= read -r stat 2>/dev/null <"/proc/$$/stat" || stat="$$ ps $(command -p ps -o lstart= -p $$)"

  set -C
  printf '%s\ncgroup %s\n' "$stat" "$joined" 2>/dev/null >"$directory/started" || exit 0
  set +C

  # cat writes what it reads at once, where head would hold it back; the size limit (in 512-byte blocks) ends it, and
  # the rest of what it had read is gone.
  keep() {
    trap '' INT TERM HUP QUIT XFSZ
    if (ulimit -f "$((cap / 512))" 2>/dev/null || :; command -p cat >"$1"); then
      : >"$1.tail"
    else
      : >"$1.cut"
      command -p tail -c "$tail" >"$1.tail"
    fi
  }

  attempt() {
    trap : INT TERM HUP QUIT
    /bin/sh -c "$command" 3>&-
    status=$?
    { echo "status $status"; times; } 1<>"$directory/exit.tmp"
    command -p mv -f "$directory/exit.tmp" "$directory/exit"
  }

  if [ "$streams" = split ]; then
    { attempt 2>&3 | keep "$directory/output"; } 3>&1 | keep "$directory/log"
  else
    attempt 2>&1 | keep "$directory/log"
  fi
  exit 0
}
