#!/usr/bin/env python3
"""What the window costs, under Xvfb with software rendering:
     PCILENS=build/release/bin/pcilens tests/bench/window.py [MILLIONS]
prints, as a table, the time to the first picture, and processor time for a picture at 1600x900:
held (the mouse moves, so that it is drawn), while an NVMe driver makes as many transactions as it
can, and with MILLIONS of transactions (10) in the trace. Counted are the window's thread and the
threads of Mesa's software renderer; `build` is Dear ImGui's part of it."""
import glob
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "gui"))
from driven_window import Display, Window  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


class Measured(Window):
    def __init__(self, display, traffic):
        self.times_file = f"/tmp/pcilens-times-{os.getpid()}.json"
        os.environ["PCILENS_UI_TIMES"] = self.times_file
        if os.path.exists(self.times_file):
            os.unlink(self.times_file)
        display.env.update(PCILENS_UI_TIMES=self.times_file, LIBGL_ALWAYS_SOFTWARE="1")
        super().__init__(display, device=f"nvme,traffic={traffic},depth=32,io=512,size=1100M")

    def times(self):
        with open(self.times_file, encoding="ascii") as file:
            return json.load(file)

    def drawing_seconds(self):
        """Of the window's thread and the renderer's."""
        total = 0
        for task in glob.glob(f"/proc/{self.process.pid}/task/*"):
            try:
                with open(task + "/stat", encoding="ascii") as file:
                    name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            except OSError:
                continue
            if name.startswith("llvmpipe") or task.endswith(f"/{self.process.pid}"):
                fields = rest.split()
                total += int(fields[11]) + int(fields[12])
        return total / TICK

    def transactions(self):
        text = self.text("status.right")
        return int(text.split()[1]) if text else 0

    def cost(self, seconds, moving):
        """Processor time for a picture, pictures a second, transactions a second."""
        time.sleep(1)
        before, cpu, seqs, begun = (self.times(), self.drawing_seconds(), self.transactions(),
                                    time.monotonic())
        place = 0
        while time.monotonic() < begun + seconds:
            if moving:
                place = (place + 7) % 300
                self.xdotool("mousemove", 700 + place, 500)
            time.sleep(0.03)
        time.sleep(0.6)  # the file is written twice a second
        took = time.monotonic() - begun
        after, cpu = self.times(), self.drawing_seconds() - cpu
        frames = after["frames"] - before["frames"]
        build = (after["build_ms"] * after["frames"] - before["build_ms"] * before["frames"])
        return (1e3 * cpu / max(frames, 1), build / max(frames, 1), frames / took,
                (self.transactions() - seqs) / took)


def line(what, cost):
    cpu, build, frames, rate = cost
    print(f"| {what} | {cpu:.1f} ms | {build:.2f} ms | {frames:.0f} | {rate:,.0f} |", flush=True)


def main():
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    display = Display()
    try:
        first = []
        for _ in range(5):
            with Measured(display, 1) as w:
                w.wait("stop.headline")
                first.append((w.times()["first_frame_ms"], w.times()["first_frame_cpu_ms"]))
        wall, cpu = (sorted(f[i] for f in first)[2] for i in (0, 1))
        print(f"first picture: {wall:.0f} ms, {cpu:.0f} ms of processor time (medians of five)\n")
        print("| | a picture | of it build | pictures/s | transactions/s |\n|---|---|---|---|---|")
        with Measured(display, 2_000_000) as w:
            w.wait("stop.headline")
            time.sleep(1)
            line("held, mouse moving", w.cost(5, True))
            w.key("F5")
            time.sleep(3)
            line("running", w.cost(5, False))
            while w.transactions() < millions * 1e6:
                if "Ended" in w.text("toolbar.state"):
                    break
                time.sleep(1)
            w.key("F6")
            time.sleep(3)
            line(f"{w.transactions() / 1e6:.1f}M transactions, mouse moving", w.cost(5, True))
            w.click("transactions.scroll")
            w.xdotool("mousemove", 900, 650)
            begun = time.monotonic()
            w.key("ctrl+g")
            w.fill("goto.input", str(w.transactions() // 2), "detail.headline")
            print(f"\nfrom Ctrl+G to a transaction in the middle: {time.monotonic() - begun:.1f} s, "
                  "with the typing")
    finally:
        display.close()


if __name__ == "__main__":
    main()
