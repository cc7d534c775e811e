# Sourced by check-gpu and bench-gpu, which lie at the top of the kit: its programs come first on PATH, CUDA's libraries are
# found in python3's packages, too, and where no GPU (or $device) answers it says so in one line and ends with status 1.
kit=$(dirname "$(realpath "$0")")
export PATH=$kit/bin:$PATH SEABOT_PLUGINS=$kit/bin ROOT=$kit LC_ALL=C

# PyTorch brings cuBLASLt and cuDNN as packages. They go before the system's: both are then measured with the same ones.
packages=$(python3 -c 'import glob, sys; print(":".join(d for p in sys.path for d in glob.glob(p + "/nvidia/*/lib")))') || {
    echo "${0##*/}: needs python3" >&2
    exit 1
}
export LD_LIBRARY_PATH=$packages${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}

if ! said=$(sb-cluster -q -k 2 --device "${device:-cuda}" -o /dev/null "$kit/data/frames.sb" 2>&1); then
    said=${said#sb-cluster: }
    echo "${0##*/}: ${said%: use --device*}" >&2
    exit 1
fi
