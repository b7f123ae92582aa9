#!/usr/bin/env python3
"""The golden plate of BatchLib, job by job: our seconds beside those that BatchLib itself took.

usage: bench/batchlib.py WELLSPRING [REPEATS]

BatchLib does not install beside today's Python: its times are those that were recorded when the reference was made
(../shared/golden/batchlib/runs/plain/jobs.json, one process, one thread). So that they can be compared with this machine's, the white
top-hat of scikit-image, which BatchLib calls, is timed on the same images in the same run, in turns with ours: the ratio of its time here to the recorded one is
the machine's factor. Needs python3 with h5py, NumPy and scikit-image, and ../shared.
"""
import collections, glob, json, os, resource, shutil, sqlite3, statistics, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GOLDEN = os.path.join(TOP, "..", "shared", "golden", "batchlib")
GIVEN = ["mask", "boundaries", "nucleus_segmentation", "local_infected", "local_not_infected"]
# Our job -> BatchLib's; what BatchLib does besides (Preprocess) is part of every pass of ours (read, publish).
JOBS = {
    "cells": ["SeededWatershed"], "properties": ["SegmentationProperties"], "nucleus-properties": ["SegmentationPropertiesNuclei"],
    "tophat": ["DenoiseByWhiteTophat"], "features": ["InstanceFeatureExtraction"], "features-without-nuclei": ["InstanceFeatureExtractionnonuc"],
    "features-eroded": ["InstanceFeatureExtractionEroded"], "image-qc": ["ImageLevelQC"], "image-qc-serum": ["ImageLevelQCserum_IgG"],
    "background": ["ExtractBackground"], "background-eroded": ["ExtractBackgrounderoded"], "background-wells": ["BackgroundFromWells"],
    "background-min": ["BackgroundFromMinWell"], "infected": ["FindInfectedCells"], "infected-eroded": ["FindInfectedCellsEroded"],
    "infected-top50": ["FindInfectedCellstop50"], "subtract-serum": ["WriteBackgroundSubtractedImages"], "subtract-marker": [],
    "cell-qc": ["CellLevelQCserum_IgG"], "well-qc": ["WellLevelQCserum_IgG"], "scores": ["CellLevelAnalysisserum_IgG"], "summary": [],
    "scores-fixed": ["CellLevelAnalysisfixedbg"], "merge": ["MergeAnalysisTables"], "eroded": ["ErodeSegmentation"],
    "rings": ["VoronoiRingSegmentation"], "dilated": ["VoronoiRingSegmentationRadiusFactor"], "denoised": ["DenoiseByGrayscaleOpening"],
    "size-mask": ["WriteCellSizeMasks"], "pixelwise": ["PixellevelAnalysis"], "pixelwise-files": [], "publish": ["Preprocess"],
}


def prepare(work):
    import h5py

    plate, results = os.path.join(work, "goldA"), os.path.join(work, "results")
    shutil.copytree(os.path.join(GOLDEN, "input", "goldA"), plate)
    os.makedirs(os.path.join(results, "goldA"))
    for path in glob.glob(os.path.join(GOLDEN, "runs", "plain", "goldA", "*.h5")):
        with h5py.File(path, "r") as f, h5py.File(os.path.join(results, "goldA", os.path.basename(path)), "w") as g:
            for name in GIVEN:
                f.copy(name, g)
    text = open(os.path.join(TOP, "tests", "workflows", "golden-plain.toml")).read()
    text = text.replace("TAGS/", os.path.join(GOLDEN, "misc", "tagged_outliers") + "/")
    workflow = os.path.join(work, "golden-plain.toml")
    open(workflow, "w").write(text)
    return workflow, plate, results


def ours(binary):
    """Milliseconds by job, wall and CPU seconds of the whole, peak memory of the largest process in MB."""
    with tempfile.TemporaryDirectory() as work:
        workflow, plate, results = prepare(work)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        command = [binary, "run", workflow, plate, "-o", results, "--workers", "1", "--threads", "1", "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
        wall = time.perf_counter() - begin
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert not json.loads(done.stdout)["failed"]
        spent = collections.Counter()
        with sqlite3.connect(os.path.join(results, ".wellspring", "queue.db")) as database:
            for (timings,) in database.execute("SELECT DISTINCT timings FROM attempt WHERE timings IS NOT NULL"):
                for job, elapsed in json.loads(timings).items():
                    spent[job] += elapsed
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent, wall, cpu, after.ru_maxrss / 1024


def tophat(images):
    from skimage.morphology import disk, white_tophat

    begin = time.process_time()
    for image in images:
        white_tophat(image, disk(20))
    return time.process_time() - begin


def main():
    binary, repeats = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3
    if not os.path.isdir(GOLDEN):
        print("skipped: ../shared/golden/batchlib is absent")
        return
    try:
        import h5py
        import skimage
    except ImportError as error:
        print("skipped:", error)
        return
    calls = json.load(open(os.path.join(GOLDEN, "runs", "plain", "jobs.json")))["calls"]
    theirs = collections.Counter()
    for call in calls:
        theirs[call["job"]] += call.get("call_cpu_s") or 0.0
    images = []
    for path in sorted(glob.glob(os.path.join(GOLDEN, "runs", "plain", "goldA", "*.h5"))):
        with h5py.File(path, "r") as f:
            images.append(f["marker/s0"][()])
    megapixels = sum(i.size for i in images) / 1e6
    runs, calibration = [], []
    for _ in range(repeats):
        calibration.append(tophat(images))
        runs.append(ours(binary))
    factor = statistics.median(calibration) / theirs["DenoiseByWhiteTophat"]
    print(f"{len(images)} images, {megapixels:.2f} megapixels, one process, one thread; median of {repeats}")
    print(f"white top-hat of scikit-image {skimage.__version__}: {statistics.median(calibration):.2f} CPU s here, BatchLib's whole job {theirs['DenoiseByWhiteTophat']:.2f} CPU s as recorded: factor {factor:.2f}")
    print(f"{'job':26}{'ms/MP':>9}{'BatchLib ms/MP, recorded':>26}{'ratio':>8}{'ratio, this machine':>21}")
    mine_total = theirs_total = 0.0
    for job, names in JOBS.items():
        mine = statistics.median(run[0][job] for run in runs) / megapixels
        reference = sum(theirs[name] for name in names) * 1e3 / megapixels
        mine_total += mine
        theirs_total += reference
        ratio = f"{reference / mine:8.1f}{reference * factor / mine:21.1f}" if names and mine else ""
        print(f"{job:26}{mine:9.1f}{reference:26.1f}{ratio}")
    print(f"{'all of them':26}{mine_total:9.1f}{theirs_total:26.1f}{theirs_total / mine_total:8.1f}{theirs_total * factor / mine_total:21.1f}")
    wall, cpu, memory = (statistics.median(run[i] for run in runs) for i in (1, 2, 3))
    print(f"whole run, start-up and queue included: {wall:.2f} s wall, {cpu:.2f} CPU s, largest process {memory:.0f} MB")
    print(f"against the recorded {theirs_total * megapixels / 1e3:.1f} CPU s: {theirs_total * megapixels / 1e3 / cpu:.1f} times, with the machine's factor {theirs_total * factor * megapixels / 1e3 / cpu:.1f} times")


main()
