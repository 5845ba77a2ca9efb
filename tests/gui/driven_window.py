"""pcilens in a virtual display, driven by the names of what it drew (PCILENS_UI_RECTS)."""
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time

PCILENS = os.environ.get("PCILENS", "pcilens")
SOURCE = os.environ.get("PCILENS_SOURCE", os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                       "..", ".."))
PATIENCE = 60.0  # seconds; a loaded machine draws slowly
PAUSE = 0.12     # between what a person does: several pictures


class Failed(Exception):
    pass


class Display:
    """An X server of its own."""

    def __init__(self, size="1600x900"):
        read, write = os.pipe()
        # -noreset: else it starts anew, and refuses, whenever its last client goes.
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", size + "x24", "-nolisten", "tcp",
             "-noreset"], pass_fds=[write], stderr=subprocess.PIPE)
        os.close(write)
        with os.fdopen(read, encoding="ascii") as number:
            self.name = ":" + number.readline().strip()
        self.env = dict(os.environ, DISPLAY=self.name)
        until = time.monotonic() + PATIENCE
        while subprocess.run(["xdotool", "getdisplaygeometry"], env=self.env, check=False,
                             capture_output=True).returncode != 0:
            if self.server.poll() is not None or time.monotonic() > until:
                raise Failed("no X server: " + self.server.stderr.read().decode(errors="replace"))
            time.sleep(0.1)

    def close(self):
        self.server.terminate()
        self.server.wait()
        self.server.stderr.close()


class Window:
    """One run of `pcilens gui`; a context manager."""

    def __init__(self, display, *arguments, program=None, device="edu", config=None,
                 recording=None):
        """`config`: a folder for the window's settings; else it has fresh ones. `recording`: a trace
        to look at instead of a device."""
        self.display = display
        self.folder = tempfile.mkdtemp(prefix="pcilens-gui-")
        self.rects_file = os.path.join(self.folder, "rects.json")
        self.trace = os.path.join(self.folder, "trace.db")
        self.env = dict(display.env, PCILENS_UI_RECTS=self.rects_file,
                        XDG_CONFIG_HOME=config or self.folder)
        command = program or [PCILENS, "gui", "--device", device, "--trace", self.trace]
        if recording:
            command = [PCILENS, "gui", recording]
        self.process = subprocess.Popen(command + list(arguments), env=self.env,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        self.wait("toolbar.state")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What is on screen.
    def rects(self):
        try:
            with open(self.rects_file, encoding="utf-8") as file:
                return json.load(file)["rects"]
        except FileNotFoundError:
            return {}

    def text(self, name):
        return self.rects().get(name, {}).get("text", "")

    def wait(self, name, contains="", gone=False):
        """Until something of that name shows, with that text in it."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            rects = self.rects()
            there = name in rects and contains in rects[name]["text"]
            if there != gone:
                return rects.get(name)
            if self.process.poll() is not None:
                out = self.process.stdout.read().decode(errors="replace")
                raise Failed(f"pcilens ended with {self.process.returncode}: {out}")
            time.sleep(0.03)
        now = self.rects().get(name)
        raise Failed(f"{name} with {contains!r} did not {'go' if gone else 'come'} "
                     f"(there: {now['text'] if now else 'nothing'})")

    # What a person does.
    def xdotool(self, *words):
        subprocess.run(["xdotool", *map(str, words)], env=self.display.env, check=True,
                       stdout=subprocess.DEVNULL)

    def move_to(self, name, x=0.5):
        rect = self.wait(name)
        self.xdotool("mousemove", round(rect["x"] + max(2, rect["w"] * x)),
                     round(rect["y"] + rect["h"] / 2))
        time.sleep(PAUSE)

    def click(self, name, button=1, x=0.5, then=None):
        """With `then`, again until that shows: a loaded machine may lose one."""
        for _ in range(4):
            self.move_to(name, x)
            self.xdotool("mousedown", button)
            time.sleep(PAUSE)
            self.xdotool("mouseup", button)
            time.sleep(PAUSE)
            until = time.monotonic() + 4
            while then and then not in self.rects() and time.monotonic() < until:
                time.sleep(0.05)
            if not then or then in self.rects():
                return
        raise Failed(f"a click on {name} does not bring {then}")

    def double_click(self, name, opens, x=0.5):
        """Until `opens` shows: on a loaded machine two clicks may fall into one picture."""
        for delay in (120, 200, 80, 250, 300):
            self.move_to(name, x)
            self.xdotool("click", "--repeat", 2, "--delay", delay, 1)
            until = time.monotonic() + 2
            while time.monotonic() < until:
                if opens in self.rects():
                    return
                time.sleep(0.05)
        raise Failed(f"a double click on {name} does not open {opens}")

    def key(self, key):
        # Dear ImGui 1.86 looks at keys once a picture: hold it for several.
        for part in key.split("+"):
            self.xdotool("keydown", part)
        time.sleep(2 * PAUSE)
        for part in reversed(key.split("+")):
            self.xdotool("keyup", part)
        time.sleep(PAUSE)

    def quit(self):
        """By its own command, so that it ends by itself."""
        self.key("ctrl+p")
        self.fill("palette.input", "quit ")
        self.key("Return")
        self.process.wait(PATIENCE)

    def type(self, text):
        self.xdotool("type", "--delay", 40, text)
        time.sleep(PAUSE)

    def fill(self, name, text, then=None, contains=""):
        """Types over an input; with `then`, Enter until that shows (a second one does no harm)."""
        self.click(name)
        self.key("ctrl+a")
        self.type(text)
        self.wait(name, text)
        for _ in range(4 if then else 0):
            self.key("Return")
            until = time.monotonic() + 4
            while time.monotonic() < until:
                if then in self.rects() and contains in self.text(then):
                    return
                time.sleep(0.05)
        if then:
            raise Failed(f"Enter in {name} does not bring {then} {contains!r}")

    def seq_of(self, *place):
        """The first transaction of that kind, BAR 0 and offset."""
        seq, = self.wait_row("SELECT seq FROM event WHERE kind=? AND bar=0 AND offset=?", *place)
        return seq

    def show(self, seq):
        """Selects a transaction by its number, as Ctrl+G does."""
        self.key("ctrl+g")
        self.fill("goto.input", str(seq), "detail.headline")

    # What the trace holds.
    def query(self, sql, *values):
        base = sqlite3.connect(f"file:{self.trace}?mode=ro", uri=True)
        try:
            return base.execute(sql, values).fetchall()
        finally:
            base.close()

    def wait_row(self, sql, *values):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            rows = self.query(sql, *values)
            if rows:
                return rows[0]
            time.sleep(0.1)
        raise Failed(f"the trace has no row: {sql} {values}")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def picture(self, name):
        """Into the build folder, or docs/images with PCILENS_UPDATE_IMAGES."""
        self.move_to("toolbar.state", x=3)
        time.sleep(1.5)
        folder = os.environ.get("PCILENS_BUILD", ".")
        if os.environ.get("PCILENS_UPDATE_IMAGES"):
            folder = os.path.join(SOURCE, "docs", "images")
        os.makedirs(folder, exist_ok=True)
        file = os.path.join(folder, name + ".png")
        self.screenshot(file)
        if os.path.getsize(file) < 20000:
            raise Failed(f"{file} is empty")

    def screenshot(self, file):
        subprocess.run(["import", "-window", "root", file], env=self.display.env, check=True)
