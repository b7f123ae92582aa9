"""A laboratory in the middle of a day: the data behind every page that is only looked at."""


class Lab:
    """A daemon with a plate that ended with failures, one that is done, one that is arriving and a large one that waits."""

    def __init__(self, daemon, microscope):
        self.daemon = daemon
        microscope.write(daemon, "screen-0041", microscope.draw(rows=3, columns=4, sites=2, corrupt=5))
        microscope.write(daemon, "screen-0042", microscope.draw(rows=2, columns=3, sites=1))
        self.failing = finish(daemon, "screen-0041", image_sets=24)
        self.done = finish(daemon, "screen-0042", image_sets=6)
        arriving = microscope.draw(rows=3, columns=4, sites=1)
        microscope.write(daemon, "screen-0043", arriving[:5])
        # A name that fits no scheme is listed, not lost.
        shared_name = daemon.drop / "screen-0043" / "overview picture.tiff"
        shared_name.write_bytes(arriving[0].read_bytes())
        self.arriving = settled(daemon, "screen-0043", image_sets=5)
        # 384 wells, held before they are worked on: a grid that is as large as people use, and cheap.
        daemon.post("/api/v1/queue/pause")
        microscope.write(daemon, "screen-0044", microscope.draw(rows=16, columns=24, sites=1, side=48))
        self.large = arrived(daemon, "screen-0044", image_sets=384)
        daemon.post(f"/api/v1/plates/{self.large}/pause", {"reason": "waits for the reader of plate 43"})
        daemon.post("/api/v1/queue/resume")
        daemon.wait("the odd name is listed", lambda: daemon.get("/api/v1/status")["files"]["unmatched"] == 1)
        self.failed_task = daemon.tasks(plate=self.failing, state="failed")[0]
        self.done_task = daemon.tasks(plate=self.done, job="measure-cells")[0]
        # An image set of the plate that is done, for pages of a single site.
        # The first by name: they are numbered as they came, and not all have objects.
        sites = daemon.get(f"/api/v1/plates/{self.done}/image-sets")["items"]
        self.site = min(sites, key=lambda site: site["name"])["id"]


def arrived(daemon, name, image_sets):
    """The id of the plate once so many of its image sets have all their images."""

    def condition():
        plate = daemon.plate(name)
        return plate and plate["image_sets"]["complete"] == image_sets and plate["id"]

    return daemon.wait(f"{image_sets} image sets of {name} arrived", condition)


def settled(daemon, name, image_sets):
    """The id of the plate once nothing of it can run before something else happens."""
    plate = arrived(daemon, name, image_sets)

    def condition():
        counts = daemon.get(f"/api/v1/plates/{plate}")["counts"]
        active = counts["ready"] + counts["running"] + counts["retrying"]
        # What waits now waits for the plate to be complete: one task of the plate as a whole.
        return active == 0 and counts["waiting"] <= 1 and counts["succeeded"] > 0

    daemon.wait(f"nothing of {name} can run", condition)
    return plate


def finish(daemon, name, image_sets):
    """The id of the plate once it is complete and everything of it has run."""
    plate = settled(daemon, name, image_sets)
    daemon.post(f"/api/v1/plates/{plate}/finalize")
    ended(daemon, plate)
    return plate


def ended(daemon, plate):
    """Waits until a complete plate has nothing left to run."""
    states = ("done", "done_with_failures")
    daemon.wait(f"plate {plate} is done", lambda: daemon.get(f"/api/v1/plates/{plate}")["state"] in states)
