"""Twenty clients that ask 50 times a second each, alone or in bad company: clients.py PORT SECONDS alone|hostile"""

import random
import socket
import sys
import threading
import time

PORT, SECONDS, COMPANY = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
PATHS = ["/healthz", "/readyz", "/metrics", "/system-resources"]
HEAD = b"HTTP/1.1\r\nHost: localhost\r\n"
END = time.monotonic() + SECONDS
latencies, failures, lock = [], [], threading.Lock()


def ask(connection, path):
    """Sends one request and reads all of its response."""
    connection.sendall(b"GET %s %s\r\n" % (path.encode(), HEAD))
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise OSError("closed")
        received += piece
    head, body = received.split(b"\r\n\r\n", 1)
    if not head.startswith(b"HTTP/1.1 200"):
        raise OSError(head.split(b"\r\n")[0].decode())
    length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536)


def good():
    connection, asked, start, mine = None, 0, time.monotonic(), []
    while time.monotonic() < END:
        time.sleep(max(0, start + asked / 50 - time.monotonic()))
        asked += 1
        began = time.monotonic()
        try:
            connection = connection or socket.create_connection(("127.0.0.1", PORT), timeout=10)
            ask(connection, random.choice(PATHS))
            mine.append(time.monotonic() - began)
        except OSError as error:
            failures.append(error)
            connection = None
    with lock:
        latencies.extend(mine)


def slow():
    """Keeps 500 connections that send a byte of a request now and then."""
    connections = []
    while time.monotonic() < END:
        while len(connections) < 500:
            connection = socket.socket()
            connection.setblocking(False)
            connection.connect_ex(("127.0.0.1", PORT))
            connections.append(connection)
        for connection in random.sample(connections, 50):
            try:
                connection.send(b"G")
            except OSError:
                connections.remove(connection)
        time.sleep(0.1)


def hostile():
    """Sends what is no HTTP, what is too long, and what announces too much."""
    requests = [
        random.randbytes(200),
        b"GET / %sX: %s\r\n\r\n" % (HEAD, b"a" * 100_000),
        b"POST /cleanup-resources?what=all %sContent-Length: 99999999\r\n\r\n" % HEAD,
        b"GET /\0 HTTP/9.9\r\n\r\n",
    ]
    while time.monotonic() < END:
        try:
            with socket.create_connection(("127.0.0.1", PORT), timeout=0.2) as connection:
                connection.sendall(random.choice(requests))
                connection.recv(1000)
        except OSError:
            pass
        time.sleep(0.01)


work = [good] * 20 + ([slow] + [hostile] * 3 if COMPANY == "hostile" else [])
threads = [threading.Thread(target=one) for one in work]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
latencies.sort()
quantiles = [1000 * latencies[int(share * (len(latencies) - 1))] for share in (0.5, 0.99, 1)]
print("%s: %d answers a second, %d failures, p50 %.2f ms, p99 %.1f ms, longest %.0f ms" % (
    COMPANY, len(latencies) / SECONDS, len(failures), *quantiles))
