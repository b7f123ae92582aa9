"""A microscope that writes synthetic plates into the folder that a daemon watches."""

import os
import shutil
import subprocess


class Microscope:
    """Draws each kind of plate once; `write` then drops its files where a daemon watches."""

    def __init__(self, synthetic_plate, folder):
        self.synthetic_plate = synthetic_plate
        self.folder = folder

    def draw(self, rows=2, columns=3, sites=1, side=160, corrupt=None):
        """The files of a plate, in the order in which its sites are imaged. The file number `corrupt` ends too early."""
        folder = self.folder / f"{rows}x{columns}x{sites}-{side}-{corrupt}"
        if not folder.exists():
            command = [self.synthetic_plate, folder]
            options = {"rows": rows, "columns": columns, "sites": sites, "side": side, "corrupt": corrupt}
            for option, value in options.items():
                if value is not None:
                    command += [f"--{option}", str(value)]
            subprocess.run(command, check=True, timeout=120)
        return sorted(folder.iterdir(), key=lambda file: file.name.rsplit("Seq", 1)[1])

    def write(self, daemon, plate, files):
        """Each file appears whole: written beside the watched folder, then moved into it."""
        aside, target = daemon.folder / "aside", daemon.drop / plate
        aside.mkdir(exist_ok=True)
        target.mkdir(exist_ok=True)
        for file in files:
            shutil.copy(file, aside / file.name)
            os.rename(aside / file.name, target / file.name)
