#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""wire.py FIRST COUNT MIN_MS MAX_MS: INVITEs on the wire of a test namespace,
each the first call of another account to a hot country.  A line for each:
the account and when its INVITE was handed to the kernel, in microseconds."""
import os
import random
import socket
import sys
import time

CARRIER = ("192.0.2.1", 5060)


def address(i):
    net = ("198.51.100", "203.0.113")[i // 250]
    return f"{net}.{i % 250 + 1}"


def invite(i, host):
    return (f"INVITE sip:00252611{i:06d}@{CARRIER[0]} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP {host}:5060;branch=z9hG4bK{i}-{os.getpid()}\r\n"
            f"From: <sip:01632960001@{host}>;tag={i}\r\n"
            f"To: <sip:00252611{i:06d}@{CARRIER[0]}>\r\n"
            f"Call-ID: {i}-{os.getpid()}@{host}\r\n"
            "CSeq: 1 INVITE\r\n"
            f"Contact: <sip:01632960001@{host}:5060>\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode()


first, count, least, most = map(int, sys.argv[1:])
carrier = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    carrier.bind(CARRIER)  # or each INVITE is answered by ICMP
except OSError:
    pass  # it is not here: they leave by another interface
ready = []
for i in range(first, first + count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((address(i), 5060))
    ready.append((i, s, invite(i, address(i))))
sent = []
for i, s, text in ready:
    time.sleep(random.uniform(least, most) / 1000)
    sent.append((i, time.time_ns() // 1000))
    s.sendto(text, CARRIER)
for i, at in sent:
    print(f"bench-{i:03d} {at}")
