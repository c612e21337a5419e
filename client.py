"""Sends audio and video files to the daemon: `python client.py --help`."""

import sys

from coqui_client.cli import main

if __name__ == "__main__":
    sys.exit(main())
