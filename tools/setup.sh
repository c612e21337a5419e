# Make the virtual environment: setup.sh PYTHON FOLDER
set -eu
. "$(dirname "$0")/debian.sh"
python=$1 venv=$2

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or later is needed; this is $("$python" --version). Name another: make PYTHON=..." >&2
    exit 1
}
# Debian keeps ensurepip, which venv needs, in a package of its own.
"$python" -c 'import ensurepip' 2>/dev/null || debian_install python3-venv || {
    echo "This Python cannot make virtual environments; install it: apt-get install python3-venv" >&2
    exit 1
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
