"""The cases of window_test.sh, a TAP line each. `window_cases.py NAME...` runs those alone."""
import os
import subprocess
import sys
import time

import panel_cases
from driven_window import PCILENS, Display, Failed, Window

MEM_READ, MEM_WRITE, FORCE = 2, 3, 13
POKE = 2
FACTORIAL, LIVENESS, IRQ_STATUS = 0x08, 0x04, 0x24


def check(condition, what):
    if not condition:
        raise Failed(what)


def stop_at(w, expression, headline):
    """A breakpoint through the panel, then run until it holds."""
    w.fill("breakpoints.expression", expression, "breakpoints.row.1", expression)
    w.click("toolbar.run")
    w.wait("stop.headline", headline)


def opens_held(display):
    """the window opens with the driver held at its first access"""
    with Window(display) as w:
        w.wait("toolbar.state", "Stopped")
        w.wait("stop.headline", "read ID")
        w.wait("registers.row.FACTORIAL")


def breakpoint_holds(display):
    """a breakpoint typed into the window holds the driver at that register write"""
    with Window(display) as w:
        stop_at(w, "write FACTORIAL", "write FACTORIAL")
        check(w.text("stop.value") == "0x0000000a", "10 is on its way: " + w.text("stop.value"))
        w.wait("breakpoints.row.1.count", "1")


def edit_in_flight(display):
    """a value changed at the stop is what the device gets, and the trace keeps both"""
    with Window(display) as w:
        stop_at(w, "write FACTORIAL", "write FACTORIAL")
        w.fill("stop.value", "5", "stop.edited", "0x0000000a")
        w.click("toolbar.run")
        w.wait("toolbar.state", "Ended")
        seq, value = w.wait_row("SELECT seq, value FROM event WHERE kind=? AND bar=0 AND offset=?",
                                MEM_WRITE, FACTORIAL)
        check(value == 5, f"the device got {value}")
        sent, delivered = w.wait_row("SELECT sent, delivered FROM edit WHERE seq=?", seq)
        check((sent, delivered) == (10, 5), f"sent {sent}, delivered {delivered}")
        answer, = w.wait_row("SELECT value FROM event WHERE kind=? AND bar=0 AND offset=? AND seq>?",
                             MEM_READ, FACTORIAL, seq)
        check(answer == 120, f"5! is 120, the device said {answer}")


def steps(display):
    """a step delivers what is held and stops at the driver's next access"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.click("toolbar.step")
        w.wait("stop.headline", "write LIVENESS")
        w.key("F10")
        w.wait("stop.headline", "read LIVENESS")
        w.wait("registers.row.LIVENESS", "0xedcba987")


def pokes(display):
    """a value typed into the registers panel is poked as a transaction of its own"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.double_click("registers.row.LIVENESS", "edit.value")
        w.fill("edit.value", "0x0000ffff")
        w.click("edit.poke")
        row = w.wait_row("SELECT kind, value FROM event WHERE origin=? AND bar=0 AND offset=?", POKE, LIVENESS)
        check(row == (MEM_WRITE, 0xffff), f"the trace has {row}")
        w.wait("registers.row.LIVENESS", "0xffff0000")


def forces(display):
    """a force sets a read-only register that no transaction may set"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.double_click("registers.row.IRQ_STATUS", "edit.value")
        w.fill("edit.value", "0x101")
        w.click("edit.force")
        w.wait("registers.row.IRQ_STATUS", "0x00000101")
        value, = w.wait_row("SELECT value FROM event WHERE kind=? AND bar=0 AND offset=?",
                            FORCE, IRQ_STATUS)
        check(value == 0x101, f"the trace has {value:#x}")


def faults(display):
    """a fault rule typed into the window makes the driver see a wrong answer"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.fill("faults.expression", "read LIVENESS")
        w.fill("faults.action", "flip 0x1", "faults.row.1", "read LIVENESS")
        w.click("toolbar.run")
        w.wait("toolbar.state", "Ended")
        w.wait("faults.row.1.count", "1")
        seq, value = w.wait_row("SELECT seq, value FROM event WHERE kind=? AND bar=0 AND offset=?",
                                MEM_READ, LIVENESS)
        check(value == 0xedcba986, f"the driver got {value:#x}")
        answered, rule = w.wait_row("SELECT answered, rule FROM edit WHERE seq=?", seq)
        check((answered, rule) == (0xedcba987, 1), f"answered {answered:#x}, rule {rule}")
        w.wait("status.left", "LIVENESS")


def continues(display):
    """without breakpoints the driver runs to its end"""
    with Window(display) as w:
        w.wait("stop.headline")
        w.key("F5")
        w.wait("toolbar.state", "Ended")
        count, = w.wait_row("SELECT count(*) FROM event WHERE kind=5 HAVING count(*) > 0")
        check(count >= 1, "the device wrote host memory")


def deletes(display):
    """a breakpoint can be disabled and deleted"""
    with Window(display) as w:
        w.fill("breakpoints.expression", "write FACTORIAL", "breakpoints.row.1.enabled", "on")
        w.click("breakpoints.row.1.enabled")
        w.wait("breakpoints.row.1.enabled", "off")
        w.click("toolbar.run")
        w.wait("toolbar.state", "Ended")
        w.click("breakpoints.row.1.delete")
        w.wait("breakpoints.row.1", gone=True)


def filters(display):
    """the filter shows only what matches, and says at which column a wrong one is wrong"""
    with Window(display) as w:
        w.key("F5")
        w.wait("toolbar.state", "Ended")
        w.fill("transactions.filter", "write FACTORIAL")
        w.key("Return")
        until = time.monotonic() + 20
        shown = []
        while time.monotonic() < until:
            shown = [r["text"] for n, r in w.rects().items() if n.startswith("transactions.row.")]
            if shown and all("write FACTORIAL" in text for text in shown):
                break
            time.sleep(0.1)
        check(shown and all("write FACTORIAL" in text for text in shown), f"shown: {shown}")
        w.fill("transactions.filter", "write NOTHING", "transactions.error", "column")


def wrong_breakpoint(display):
    """a wrong breakpoint is refused beside its input, and what was typed stays"""
    with Window(display) as w:
        w.fill("breakpoints.expression", "write FACTORAL", "breakpoints.error", "FACTORAL")
        w.wait("breakpoints.expression", "write FACTORAL")


def context_menu(display):
    """a transaction's menu sets a breakpoint on what it touched, and finds its register"""
    with Window(display) as w:
        w.key("F5")
        w.wait("toolbar.state", "Ended")
        w.fill("transactions.filter", "write LIVENESS")
        w.key("Return")
        seq, = w.wait_row("SELECT seq FROM event WHERE kind=? AND bar=0 AND offset=?",
                          MEM_WRITE, LIVENESS)
        w.wait("transactions.row.1", gone=True)
        w.click(f"transactions.row.{seq}", button=3)
        w.click("menu.break")
        w.wait("breakpoints.row.1", "write LIVENESS")


def palette(display):
    """the palette runs a command line"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.key("ctrl+p")
        w.fill("palette.input", "break write FACTORIAL", "breakpoints.row.1", "write FACTORIAL")


def idles(display):
    """at a stop the window uses next to no processor time"""
    with Window(display) as w:
        w.wait("stop.headline")
        time.sleep(2)
        before = w.cpu_seconds()
        time.sleep(4)
        used = w.cpu_seconds() - before
        check(used < 0.12, f"{used:.2f} s of 4")


def narrow(_):
    """in 1024x700 everything that the wide window shows can still be reached"""
    display = Display("1024x700")
    try:
        with Window(display) as w:
            for name in ("toolbar.run", "registers.row.FACTORIAL", "breakpoints.add", "stop.headline",
                         "transactions.filter", "tab.code", "tab.config", "tab.memory",
                         "tab.detail", "tab.commands", "tab.console"):
                rect = w.wait(name)
                check(rect["x"] >= 0 and rect["x"] + rect["w"] <= 1024 and
                      rect["y"] + rect["h"] <= 700, f"{name} lies outside: {rect}")
            w.picture("narrow")
    finally:
        display.close()


def no_display(_):
    """without a display it says so in one sentence and exits with 2"""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    for name in ("", ":9999"):
        if name:
            env["DISPLAY"] = name
        run = subprocess.run([PCILENS, "gui", "--device", "edu"], env=env, text=True, timeout=60,
                             capture_output=True, check=False)
        said = (run.stderr + run.stdout).strip()
        check(run.returncode == 2, f"exit code {run.returncode}: {said}")
        check("display" in said and "console" in said and "\n" not in said, f"it said: {said}")


def screenshot(display):
    """the picture of the README is taken from a live stop at a register write"""
    with Window(display) as w:
        w.fill("breakpoints.expression", "write DMA_CMD", "breakpoints.row.1")
        w.click("toolbar.run")
        w.wait("stop.headline", "write DMA_CMD")
        w.click("registers.open.DMA_CMD", then="registers.row.DMA_CMD.DIR")
        w.wait("code.source")
        w.picture("window")


CASES = [opens_held, breakpoint_holds, edit_in_flight, steps, pokes, forces, faults, continues,
         deletes, filters, wrong_breakpoint, context_menu, palette, idles, narrow, no_display,
         screenshot] + panel_cases.CASES


def main():
    chosen = [c for c in CASES if not sys.argv[1:] or c.__name__ in sys.argv[1:]]
    try:
        display = Display()
    except Failed as error:
        print(f"1..1\nnot ok - an X server starts\n  # {error}")
        return 1
    failures = 0
    print(f"1..{len(chosen)}", flush=True)
    try:
        for case in chosen:
            try:
                case(display)
                print(f"ok - {case.__doc__}", flush=True)
            except (Failed, subprocess.SubprocessError, OSError) as error:
                failures += 1
                print(f"not ok - {case.__doc__}\n  # {error}", flush=True)
    finally:
        display.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
