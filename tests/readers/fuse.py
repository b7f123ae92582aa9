"""An empty FUSE file system, spoken by hand: mounts it at argv[1], says "mounted", and serves it until it is killed.

Only the standard library is used; the file system has a root folder and nothing else.
"""

import ctypes
import errno
import os
import struct
import sys

INIT, GETATTR, LOOKUP, STATFS, OPENDIR, READDIR, RELEASEDIR, ACCESS, FORGET = 26, 3, 1, 17, 27, 28, 29, 34, 2

device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40000,user_id={os.getuid()},group_id={os.getgid()}"
if libc.mount(b"test", os.fsencode(sys.argv[1]), b"fuse", 0, options.encode()) != 0:
    sys.exit(f"cannot mount: {os.strerror(ctypes.get_errno())}")
print("mounted", flush=True)

ROOT = struct.pack("<QQQQQQIIIIIIIIII", 1, 4096, 8, 0, 0, 0, 0, 0, 0, 0o40755, 2, os.getuid(), os.getgid(), 0, 4096, 0)


def answer(opcode, body):
    if opcode == INIT:
        major, minor, readahead, _ = struct.unpack_from("<IIII", body)
        return struct.pack("<IIIIHHIIHHI7I", major, min(minor, 31), readahead, 0, 1, 1, 4096, 1, 1, 0, 0, *[0] * 7)
    if opcode == GETATTR:
        return struct.pack("<QII", 1, 0, 0) + ROOT
    if opcode == STATFS:
        return struct.pack("<QQQQQIIII6I", 1 << 20, 1 << 20, 1 << 20, 1000, 1000, 4096, 255, 4096, 0, *[0] * 6)
    if opcode == OPENDIR:
        return struct.pack("<QII", 1, 0, 0)
    if opcode in (READDIR, RELEASEDIR, ACCESS):
        return b""
    return -errno.ENOENT if opcode == LOOKUP else -errno.ENOSYS


while True:
    try:
        request = os.read(device, 1 << 17)
    except OSError as error:
        if error.errno in (errno.EINTR, errno.ENOENT):
            continue
        break
    _, opcode, unique = struct.unpack_from("<IIQ", request)
    if opcode == FORGET:
        continue
    reply = answer(opcode, request[40:])
    code, payload = (reply, b"") if isinstance(reply, int) else (0, reply)
    os.write(device, struct.pack("<IiQ", 16 + len(payload), code, unique) + payload)
