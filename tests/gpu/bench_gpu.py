#!/usr/bin/env python3
"""SeaBot and PyTorch on this GPU, in turn: bench_gpu.py KIT FOLDER [--rehearse].

bench-gpu calls it. Logs go to FOLDER; what was measured is printed as tables in Markdown, which kernels/cuda/RESULTS.md
takes. A piece of work that fails, or for which time is out, says so in its place and the rest goes on. --rehearse: toy
sizes on the processor, to see that all of it goes through.
"""
import json
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field

LIMIT = int(os.environ.get("SB_SECONDS", 470))  # in all
ROUNDS = 3  # turns of each


@dataclass
class Work:
    title: str
    ours: list  # arguments of bench_turns, but for the device
    unit: str  # "images/s", or "ms" of a call
    count: int  # images a call
    gflop: float  # an image, or a call
    rate: str  # the ceiling that it is held to: bf16 or tf32
    required: str
    theirs: list = None  # arguments of peer_gpu.py, where they are others
    found: dict = field(default_factory=dict)

    def value(self, seconds):
        return self.count / seconds if self.unit == "images/s" else 1e3 * seconds


class Turns:
    """A process that measures when it is told to: bench_turns or peer_gpu.py."""

    def __init__(self, command, log):
        self.log, self.lines = log, queue.Queue()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(log, "w"), text=True)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def tell(self, seconds):
        try:
            self.process.stdin.write(f"{seconds}\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended: answer says so

    def answer(self, limit):
        try:
            line = self.lines.get(timeout=max(limit, 0.1))
        except queue.Empty:
            raise RuntimeError("no answer in time") from None
        if not line:
            self.process.wait()
            said = open(self.log).read().strip().splitlines()
            raise RuntimeError(said[-1] if said else f"ended with status {self.process.returncode}")
        try:
            return json.loads(line)
        except ValueError:
            raise RuntimeError(f"said {line.strip()!r}") from None

    def seconds(self, length, limit):
        self.tell(length)
        said = self.answer(limit)
        return said["seconds"] / said["calls"], said

    def end(self):
        self.process.kill()
        self.process.wait()


class Bench:
    def __init__(self, kit, folder, rehearse):
        self.kit, self.folder, self.rehearse = kit, folder, rehearse
        self.device = "cpu" if rehearse else "cuda"
        self.began, self.length = time.monotonic(), 0.2 if rehearse else 2.0
        self.ceiling = {}

    def left(self):
        return LIMIT - (time.monotonic() - self.began)

    def start(self, program, title, *arguments):
        log = os.path.join(self.folder, title.replace("/", "-").replace(" ", "_").replace(",", "") + ".log")
        command = [f"{self.kit}/bin/bench_turns"] if program == "ours" else [sys.executable, f"{self.kit}/bench/peer_gpu.py"]
        return Turns([*command, self.device, *map(str, arguments)], log)

    def measure_ceilings(self):
        peer = self.start("theirs", "ceilings", "ceilings")
        try:
            peer.tell(0)
            self.ceiling = peer.answer(self.left())
        except RuntimeError as why:
            print(f"the GPU's ceilings: {why}", flush=True)
        peer.end()

    def take_turns(self, work, ours, peer):
        """Seconds a call of each, medians. A side that fails is left out from there on; peer None: it has failed already."""
        of = {"SeaBot": ours, "PyTorch": peer}
        seconds = {name: [] for name in of}
        try:
            ours.tell(0)
            work.found["SeaBot"] = ours.answer(self.left())
        except RuntimeError as why:
            work.found["SeaBot failed"] = str(why)
            of["SeaBot"] = None
        for _ in range(ROUNDS):
            for name, side in of.items():
                if not side:
                    continue
                try:
                    each, work.found[f"{name} said"] = side.seconds(self.length, self.left())
                    seconds[name].append(each)
                except RuntimeError as why:
                    work.found[f"{name} failed"] = str(why)
                    of[name] = None
        for name, all_of_it in seconds.items():
            if all_of_it:
                work.found[name + " seconds"] = statistics.median(all_of_it)
                work.found[name + " all"] = all_of_it

    def run(self, works):
        """The peers of several works get warm at once, since that is mostly compiling, and ours draws its weights meanwhile;
        each then waits for its turns."""
        peers, ours = {}, {}
        for work in works:
            ours[work.title] = self.start("ours", f"SeaBot {work.title}", *work.ours)
            peers[work.title] = self.start("theirs", f"PyTorch {work.title}", *(work.theirs or work.ours))
        for peer in peers.values():
            peer.tell(0)
        keep = max(60, self.left() - 200)  # seconds, for the turns
        for work in works:
            try:
                work.found["PyTorch"] = peers[work.title].answer(self.left() - keep)
            except RuntimeError as why:
                work.found["PyTorch failed"] = str(why)
                peers.pop(work.title).end()
        for work in works:
            if self.left() > 20:
                self.take_turns(work, ours[work.title], peers.get(work.title))
            else:
                work.found["SeaBot failed"] = "not run: time was out"
            for turns in (ours[work.title], peers.get(work.title)):
                if turns:
                    turns.end()
            print(table([work], self.ceiling).split("\n", 2)[2], f"{self.left():.0f} s left", flush=True)

    # ---- programs and shares -----------------------------------------------------------------------------------------

    def classify(self, name, size, batch, count, forward):
        """sb-classify from a file of u8 tensors, a record, without its start: the difference between count and four times as
        many. forward: images a second of the bare pass."""
        model, stream = (os.path.join(self.folder, f) for f in ("model.safetensors", "tensors.sb"))
        seconds = []
        for n in (count, 4 * count):
            subprocess.run([f"{self.kit}/bin/bench_files", name, str(size), str(n), model, stream], check=True,
                           timeout=max(self.left(), 1))
            command = [f"{self.kit}/bin/sb-classify", "-q", "--device", self.device, "--precision", "bf16", "--batch", str(batch),
                       "--drop", "tensor", "-m", model, "-o", "/dev/null", stream]
            subprocess.run(command, check=True, timeout=max(self.left(), 1))  # reads the file into memory
            times = []
            for _ in range(2):
                began = time.perf_counter()
                subprocess.run(command, check=True, timeout=max(self.left(), 1))
                times.append(time.perf_counter() - began)
            seconds.append(min(times))
            os.unlink(stream)
        rate = 3 * count / (seconds[1] - seconds[0])
        start = seconds[0] - count / rate
        share = f", {100 * rate / forward:.0f} % of the bare forward pass's {forward:.0f} (required: 80)" if forward else ""
        return f"sb-classify, {name}, batch {batch}, from a file: {rate:.0f} records/s{share}; {start:.2f} s to start\n"

    def shares(self, *arguments):
        return subprocess.run([f"{self.kit}/bin/bench_shares", *map(str, arguments), self.device], check=True, stdout=subprocess.PIPE,
                              text=True, timeout=max(self.left(), 1)).stdout

    def attempt(self, what, *arguments):
        if self.left() < 30:
            return f"{what.__name__} {arguments[0]}: not run: time was out\n"
        try:
            return what(*arguments)
        except (subprocess.SubprocessError, OSError, ZeroDivisionError) as why:
            return f"{what.__name__} {arguments[0]}: failed: {why}\n"


def table(works, ceiling):
    lines = ["| work | SeaBot | PyTorch | ratio | required | of the matmul rate | memory GB: SeaBot, PyTorch |",
             "| --- | --- | --- | --- | --- | --- | --- |"]
    for w in works:
        ours, theirs = w.found.get("SeaBot seconds"), w.found.get("PyTorch seconds")
        cell = lambda seconds: f"{w.value(seconds):.4g} {w.unit}" if seconds else "-"
        share = w.gflop * 1e9 * w.count / ours / ceiling[w.rate] if ours and ceiling else None
        memory = [w.found.get(name, {}).get("bytes") for name in ("SeaBot", "PyTorch")]
        lines.append(f"| {w.title} | {cell(ours)} | {cell(theirs)} | {f'{theirs / ours:.2f}' if ours and theirs else '-'} "
                     f"| {w.required} | {f'{100 * share:.0f} %' if share else '-'} "
                     f"| {', '.join(f'{m / 1e9:.1f}' if m else '-' for m in memory)} |")
        for key in ("SeaBot failed", "PyTorch failed"):
            if key in w.found:
                lines.append(f"| {w.title} | {key}: {w.found[key]} | | | | | |")
    return "\n".join(lines)


def agreement(work):
    """k-means: the inertia of the same vectors about the same centroids, by the GPU and by the processor."""
    said = work.found.get("SeaBot said", {})
    other = [key for key in said if key.startswith("by ")]
    if not other:
        return ""
    here, there = said["inertia of rows"], said[other[0]]
    return (f"k-means: inertia of {said['rows']} vectors {here:.8g} on the GPU, {there:.8g} {other[0]}: "
            f"{abs(here / there - 1):.1e} apart; {said['all']:.2f} s with its start\n")


def works_of(rehearse):
    def model(title, name, size, batch, kind, gflop, required, unit="images/s", theirs=None):
        rest = [size, batch, "f32" if rehearse else "bf16", kind]
        return Work(f"{kind} {title}, batch {batch}", [name, *rest], unit, batch, gflop, "bf16", required, [theirs or name, *rest])

    def kmeans(n, d, k):
        return Work(f"k-means {n} x {d} k={k}", ["kmeans", n, d, k], "ms", 1, 2e-9 * n * d * k, "tf32", "at most 5 ms")

    if rehearse:
        toy = "dim=64,depth=2,heads=2,patch=8"
        return [[model("a toy ViT", toy, 32, 4, "train", 0, "-"), model("a toy ViT", toy, 32, 1, "infer", 0, "-", "ms")],
                [kmeans(2000, 16, 20)]]
    # GFLOP an image: two a multiplication and addition. Training is three forward passes, but for attention's products,
    # whose backward pass is two and a half of its forward's.
    return [[model("ViT-B/16", "B", 224, 256, "train", 105.9, "ratio 1.2", theirs="B/16"),
             model("ViT-B/16", "B", 224, 256, "infer", 35.1, "ratio 1.2", theirs="B/16"),
             model("ViT-B/16", "B", 224, 1, "infer", 35.1, "ratio 1", "ms", theirs="B/16"),
             model("ResNet-50", "resnet50", 224, 256, "train", 24.5, "ratio 0.9"),
             kmeans(200000, 768, 1000)],
            [model("ViT-L/16", "L", 224, 128, "train", 371, "ratio 1.1", theirs="L/16"),
             model("ViT-H/14", "H/14", 224, 64, "train", 1009, "ratio 1.1")]]


def main():
    kit, folder, *options = sys.argv[1:]
    rehearse = options == ["--rehearse"]
    bench, groups = Bench(kit, folder, rehearse), works_of(rehearse)
    bench.measure_ceilings()
    for group in groups:
        bench.run(group)
    texts = []
    if rehearse:
        texts.append(bench.attempt(bench.classify, "dim=64,depth=2,heads=2,patch=8", 32, 8, 100, None))
        texts.append(bench.attempt(bench.shares, "dim=64,depth=2,heads=2,patch=8", 32, 4, "f32", "train"))
    else:
        forward = groups[0][1].found.get("SeaBot seconds")
        texts.append(bench.attempt(bench.classify, "B", 224, 256, 6000, 256 / forward if forward else None))
        for arguments in (("B", 224, 256, "bf16", "train"), ("B", 224, 1, "bf16", "infer"), ("resnet50", 224, 256, "bf16", "train")):
            texts.append(bench.attempt(bench.shares, *arguments))
    works = [work for group in groups for work in group]
    with open(os.path.join(folder, "results.json"), "w") as f:
        json.dump({"ceiling": bench.ceiling, "works": {w.title: w.found for w in works}}, f, indent=1)
    c = bench.ceiling
    if c:
        print(f"\n{c['device']}, PyTorch {c['torch']}, CUDA {c['cuda']}, cuDNN {c['cudnn']}; measured: matmul "
              f"{c['bf16'] * 1e-12:.1f} TFLOP/s in bf16, {c['tf32'] * 1e-12:.1f} in TF32, copy {c['copy'] * 1e-9:.0f} GB/s\n")
    print(table(works, c))
    print("".join(["\n", *(agreement(w) for w in works), *texts]))
    missing = sum("SeaBot seconds" not in w.found for w in works)
    print(f"{len(works) - missing} of {len(works)} measured, {LIMIT - bench.left():.0f} s")
    sys.exit(missing > 0)


if __name__ == "__main__":
    main()
