# Install what the tests need from Debian; without it those tests are skipped, and say so.
set -eu
. "$(dirname "$0")/debian.sh"
needed() { # needed "COMMAND THAT SHOWS IT IS THERE" PACKAGE...
    check=$1
    shift
    $check >/dev/null 2>&1 || debian_install "$@" ||
        echo "$* not installed, and cannot be by this user: tests that need it will be skipped" >&2
}
needed "command -v ffmpeg" ffmpeg
needed "gst-inspect-1.0 --exists rtppcmupay" gstreamer1.0-tools gstreamer1.0-plugins-base gstreamer1.0-plugins-good
needed "command -v sipp" sip-tester
needed "command -v baresip" baresip-core
needed "command -v rtpengine" rtpengine-daemon
needed "command -v espeak-ng" espeak-ng
needed "command -v flite" flite
needed "ls /usr/lib/postgresql" postgresql
needed "command -v redis-server" redis-server
needed "ls /usr/sbin/haproxy" haproxy
needed "command -v chromium" chromium
needed "ls /usr/sbin/nginx" nginx-light
needed "command -v faketime" faketime
needed "command -v promtool" prometheus
needed "command -v systemd-analyze" systemd
