# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command on a terminal of 80 columns and copies what the terminal gets to stdout."""
import fcntl
import os
import pty
import struct
import sys
import termios

pid, fd = pty.fork()
if not pid:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 80, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    sys.stdout.buffer.write(data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
