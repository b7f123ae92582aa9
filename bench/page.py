"""The web page: a plate of 384 wells x 9 sites with 5 channels, tiles of a large image, and many open event streams.

usage: page.py WELLSPRING [STREAMS]

- the plate's page in each mode: server time (median of 20, one after the other), bytes as sent (gzip) and as they are; the same
  while the plate is being processed, which is what an update costs;
- tiles of 512 x 512 pixels, 5 channels, of a 4096 x 4096 image: milliseconds cold (never asked for before) and warm (asked again);
- throughput with 0 and with STREAMS (200) open event streams, interleaved, each on a fresh plate.
"""
import http.client
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from daemon import Daemon

binary = sys.argv[1]
streams = int(sys.argv[2]) if len(sys.argv) > 2 else 200

CHANNELS = ["DAPI", "GFP", "TRITC", "CY5", "BF"]
WORKFLOW = """name = "page"
version = "1"
[channels]
DAPI = "nuclei"
GFP = "marker"
TRITC = "serum_IgG"
CY5 = "serum_IgA"
BF = "light"
[container]
scale_factors = [1, 2, 4, 8]
[[job]]
id = "threshold"
kind = "segment.threshold"
input = "nuclei"
output = "mask"
method = "otsu"
keep = false
[[job]]
id = "label"
kind = "segment.declump"
input = "mask"
output = "cells"
min_distance = 7
smoothing = 1.0
[[job]]
id = "measure"
kind = "measure.objects"
input = { labels = "cells", images = ["nuclei", "marker"] }
output = "cells/objects"
[[job]]
id = "tables"
kind = "summarise.objects"
input = ["cells/objects"]
output = "default"
"""


def tiff(side, seed):
    """A 16-bit TIFF with a page for each channel: blobs on a grid."""
    row = [[int(200 + 20 * channel + (2500 if (x % 32 - 16) ** 2 < 60 else 0)) for x in range(side)] for channel in range(len(CHANNELS))]
    dark = [200 + seed % 50] * side
    rows = [(struct.pack(f"<{side}H", *line), struct.pack(f"<{side}H", *dark)) for line in row]
    out, places = bytearray(struct.pack("<2sHI", b"II", 42, 0)), []
    for bright, dim in rows:
        places.append(len(out))
        for y in range(side):
            out += bright if (y % 32 - 16) ** 2 < 60 else dim
    link = 4
    for place in places:
        struct.pack_into("<I", out, link, len(out))
        size = side * side * 2
        tags = [(256, 3, side), (257, 3, side), (258, 3, 16), (259, 3, 1), (262, 3, 1), (273, 4, place), (277, 3, 1), (278, 3, side), (279, 4, size)]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in tags)
        link = len(out)
        out += b"\0\0\0\0"
    return bytes(out)


def write(daemon, plate, wells, sites, side):
    """Writes a plate at once: every file under its own name, whole."""
    folder = os.path.join(daemon.drop, plate)
    os.mkdir(folder)
    contents = [tiff(side, seed) for seed in range(4)]
    columns = {384: 24, 96: 12, 1: 1}[wells]
    for i in range(wells * sites):
        well = f"{chr(65 + i // sites // columns)}{i // sites % columns + 1:02}"
        name = f"Well{well}_Point{well}_{i % sites:04}_Channel{','.join(CHANNELS)}_Seq{i:04}.tiff"
        # The content must differ, or it is the same image.
        data = bytearray(contents[i % 4])
        struct.pack_into("<H", data, 8, 200 + i % 4000)
        with open(os.path.join(folder, "." + name), "wb") as f:
            f.write(data)
        os.rename(os.path.join(folder, "." + name), os.path.join(folder, name))


class Client:
    """One connection that is kept, as a browser's."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc, timeout=60)

    def get(self, path, headers={}):
        begin = time.perf_counter()
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = 1e3 * (time.perf_counter() - begin)
        assert answer.status == 200, (answer.status, path, body[:300])
        return took, body


def page(client, path, repeats=20):
    plain = client.get(path)[1]
    asked = [client.get(path, {"Accept-Encoding": "gzip"}) for _ in range(repeats)]
    times = sorted(took for took, _ in asked)
    return {"ms_median": round(statistics.median(times), 1), "ms_most": round(times[-1], 1), "bytes_gzip": len(asked[-1][1]), "bytes": len(plain)}


def plate_of(daemon, name):
    found = [p for p in daemon.get("/api/v1/plates")["items"] if p["name"] == name]
    return found[0] if found else None


def wait(daemon, name, reached):
    while True:
        plate = plate_of(daemon, name)
        if plate and reached(plate):
            return plate
        time.sleep(0.05)


def is_done(plate):
    return plate["state"] in ("done", "done_with_failures")


def percentiles(times):
    times = sorted(times)
    return {"p50": round(times[len(times) // 2], 1), "p99": round(times[min(len(times) - 1, int(len(times) * 0.99))], 1)}


def tiles(daemon, client):
    write(daemon, "large", 1, 1, 4096)
    plate = wait(daemon, "large", is_done)
    image_set = client_json(client, f"/api/v1/plates/{plate['id']}/image-sets")["items"][0]["id"]
    images = ["nuclei", "marker", "serum_IgG", "serum_IgA", "light"]
    colors = ["blue", "red", "green", "magenta", "white"]

    def path(level, row, column, high, form):
        channels = ",".join(f"{image}:200:{high}:{color}" for image, color in zip(images, colors))
        return f"/api/v1/image-sets/{image_set}/tiles/{level}/{row}/{column}?format={form}&channels={channels}"

    result = {}
    for form in ("jpeg", "png"):
        cold, warm, size = [], [], []
        for repeat in range(3):
            paths = [path(0, row, column, 3000 + repeat, form) for row in range(8) for column in range(8)]
            for one in paths:
                took, body = client.get(one)
                cold.append(took)
                size.append(len(body))
            warm += [client.get(one)[0] for one in paths]
        result[form] = {"cold_ms": percentiles(cold), "warm_ms": percentiles(warm), "bytes_median": int(statistics.median(size))}
    took = []
    for row in range(8):
        for column in range(8):
            took.append(client.get(f"/api/v1/image-sets/{image_set}/labels/0/{row}/{column}?image=cells")[0])
    result["labels_cold_ms"] = percentiles(took)
    return result


def client_json(client, path):
    return json.loads(client.get(path)[1])


LISTENER = """
import selectors, socket, sys
host, port, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
chosen, received = selectors.DefaultSelector(), 0
for _ in range(n):
    one = socket.create_connection((host, port))
    one.sendall(f"GET /api/v1/events HTTP/1.1\\r\\nHost: {host}:{port}\\r\\n\\r\\n".encode())
    chosen.register(one, selectors.EVENT_READ)
chosen.register(sys.stdin, selectors.EVENT_READ)
print("listening", flush=True)
while True:
    for key, _ in chosen.select():
        if key.fileobj is sys.stdin:
            print(received)
            sys.exit()
        received += len(key.fileobj.recv(1 << 20))
"""


def throughput(daemon, name, n):
    """Image sets a second with `n` streams, which one process of its own reads as fast as they come and throws away."""
    address = urllib.parse.urlparse(daemon.url)
    listener = subprocess.Popen([sys.executable, "-c", LISTENER, address.hostname, str(address.port), str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert listener.stdout.readline() == "listening\n"
    begin = time.time()
    write(daemon, name, 96, 4, 64)
    wait(daemon, name, lambda plate: plate["counts"]["succeeded"] >= 96 * 4 * 3)
    took = time.time() - begin
    received = int(listener.communicate("\n")[0])
    return 96 * 4 / took, received


with tempfile.TemporaryDirectory() as tmp, Daemon(binary, tmp, WORKFLOW, 'settle_secs = 0\nplate_complete = ["quiet:2"]') as daemon:
    client = Client(daemon.url)
    result = {"tiles_4096_5_channels": tiles(daemon, client)}
    write(daemon, "screen", 384, 9, 64)
    running = wait(daemon, "screen", lambda plate: plate["counts"]["succeeded"] > 3000)
    result["update_while_processing"] = page(client, f"/plates/{running['id']}")
    plate = wait(daemon, "screen", is_done)
    where = f"/plates/{plate['id']}"
    result["plate_384_x_9_x_5"] = {
        "tasks": sum(v for v in plate["counts"].values()),
        "state": page(client, where),
        "heat_map": page(client, f"{where}?mode=heatmap"),
        "pictures": page(client, f"{where}?mode=thumbnail"),
        "one_well": page(client, f"{where}?well=B03"),
        "overview": page(client, "/"),
    }
    address = f"{where}?mode=thumbnail"
    body = client.get(address)[1].decode()
    pictures = [part.split('"')[0].replace("&amp;", "&").replace("&#38;", "&") for part in body.split('<img src="')[1:]]
    result["pictures_of_384_wells_cold_ms"] = percentiles([client.get(picture)[0] for picture in pictures])
    rates = {0: [], streams: []}
    received = 0
    for repeat in range(3):
        for n in (0, streams):
            rate, sent = throughput(daemon, f"streams-{repeat}-{n}", n)
            rates[n].append(round(rate, 1))
            received += sent
    result["image_sets_a_second"] = {f"{n}_streams": {"median": statistics.median(all), "all": all} for n, all in rates.items()}
    result["event_bytes_received"] = received
    print(json.dumps(result, indent=1))
