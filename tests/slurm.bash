# A Slurm of one node on this machine, in folder $1: munged, slurmctld and slurmd, each with files, socket and ports of its own.
# Sets SLURM_CONF. slurm_missing says what is not here to run one.
slurm_missing() {
    local program
    [ "$(id -u)" -eq 0 ] || { echo "Slurm's daemons want root"; return; }
    for program in munged slurmctld slurmd sbatch; do command -v "$program" >/dev/null || { echo "no $program here"; return; }; done
}

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

# Runs a daemon in the foreground of the background: daemon NAME COMMAND...
daemon() {
    local name=$1
    shift
    setsid "$@" >"$SLURM_HOME/$name.out" 2>&1 </dev/null 3>&- &
    echo $! >"$SLURM_HOME/$name.pid"
}

# Waits up to a minute for a command to succeed.
until_ok() {
    local n
    for ((n = 0; n < 600; n++)); do ! "$@" >/dev/null 2>&1 || return 0; sleep 0.1; done
    echo "not within a minute: $*"
    return 1
}

slurm_start() {
    local host
    export SLURM_HOME=$1 SLURM_CONF=$1/slurm.conf
    host=$(hostname -s)
    mkdir -p "$1"/{munge,state,spool}
    chmod 700 "$1/munge"
    (umask 077; head -c 1024 /dev/urandom >"$1/munge/key")
    cat >"$SLURM_CONF" <<END
ClusterName=season
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$1/munge/socket
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool
SlurmctldPidFile=$1/slurmctld.own.pid
SlurmdPidFile=$1/slurmd.own.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd.log
MaxArraySize=${2:-1001}
KillWait=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP
END
    daemon munged munged --foreground --force --key-file="$1/munge/key" --socket="$1/munge/socket" --pid-file="$1/munge/pid" \
        --log-file="$1/munge/log" --seed-file="$1/munge/seed" --num-threads=1
    until_ok test -S "$1/munge/socket"
    daemon slurmctld slurmctld -D -f "$SLURM_CONF"
    daemon slurmd slurmd -D -f "$SLURM_CONF"
    until_ok bash -c "sinfo -h -o %t | grep -qx 'idle\|mix'"
}

# Ended: neither there nor waited for.
ended() { [[ ! -e /proc/$1/stat || $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) == Z* ]]; }

slurm_stop() {
    local name pid
    for name in slurmd slurmctld munged; do
        pid=$(cat "$SLURM_HOME/$name.pid") || continue
        kill "$pid" 2>/dev/null || continue
        until_ok ended "$pid" || kill -9 "$pid"
    done
}
