# Install what the tests need from Debian; without it those tests are skipped, and say so.
set -eu
. "$(dirname "$0")/debian.sh"
command -v ffmpeg >/dev/null || debian_install ffmpeg ||
    echo "ffmpeg is not installed and cannot be by this user: tests that need it will be skipped" >&2
