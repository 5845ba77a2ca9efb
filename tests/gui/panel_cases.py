"""Cases of the panels around a transaction: detail, memory, code, console, commands, layouts."""
import os
import subprocess
import tempfile
import time

from driven_window import Failed, Window

MEM_READ, MEM_WRITE, DMA_WRITE = 2, 3, 5
FACTORIAL, LIVENESS, DMA_CMD = 0x08, 0x04, 0x98


def check(condition, what):
    if not condition:
        raise Failed(what)


def ran(display, **how):
    """A window whose driver has run to its end."""
    w = Window(display, **how)
    w.wait("stop.headline")
    w.key("F5")
    w.wait("toolbar.state", "Ended")
    return w


def detail(display):
    """a selected write shows its fields, the header of its TLP and what it caused"""
    with ran(display) as w:
        seq = w.seq_of(MEM_WRITE, DMA_CMD)
        w.show(seq)
        w.wait("detail.headline", "write DMA_CMD")
        w.wait("detail.field.START", "1")
        address, = w.query("SELECT value FROM event WHERE kind=1 AND bar=-1 AND offset=16 "
                           "ORDER BY seq DESC LIMIT 1")[0]
        # PCIe 5.0, 2.2.7: memory write of two dwords, all bytes, at BAR0 + 0x98.
        w.wait("detail.tlp.MWr", f"40000002 000000ff {address + DMA_CMD:08x}")
        effect = w.query("SELECT min(seq) FROM event WHERE cause=?", seq)[0][0]
        w.click(f"detail.link.{effect}")
        w.wait(f"detail.link.{seq}", "DMA_CMD")


def payload(display):
    """a DMA write shows its bytes"""
    with ran(display) as w:
        seq, = w.wait_row("SELECT seq FROM event WHERE kind=?", DMA_WRITE)
        w.show(seq)
        data, = w.wait_row("SELECT hex(data) FROM payload WHERE seq=?", seq)
        first = " ".join(data[i:i + 2].lower() for i in range(0, 16, 2))
        w.wait("detail.hex.0", first)


def edit_shown(display):
    """an edit in flight is told in the detail: what was sent and what was delivered"""
    with Window(display) as w:
        w.fill("breakpoints.expression", "write FACTORIAL", "breakpoints.row.1")
        w.click("toolbar.run")
        w.wait("stop.headline", "write FACTORIAL")
        w.fill("stop.value", "5", "stop.edited")
        w.click("toolbar.run")
        w.wait("toolbar.state", "Ended")
        w.show(w.seq_of(MEM_WRITE, FACTORIAL))
        w.wait("detail.edit", "Sent 0x0000000a, delivered 0x00000005")


def memory(display):
    """at a stop the driver's DMA buffers can be looked at, and are as the driver left them"""
    with Window(display) as w:
        w.fill("breakpoints.expression", "write DMA_CMD", "breakpoints.row.1")
        w.click("toolbar.run")
        w.wait("stop.headline", "write DMA_CMD")
        w.click("tab.memory")
        iova, = w.wait_row("SELECT offset FROM event WHERE kind=7 ORDER BY seq LIMIT 1")
        w.click(f"memory.mapping.0x{iova:08x}")
        rows = w.wait(f"memory.row.0x{iova:08x}")
        check(rows["text"].strip() != "", "no bytes")
        events, = w.query("SELECT count(*) FROM event")[0]
        time.sleep(1)
        check(w.query("SELECT count(*) FROM event")[0][0] == events, "looking made transactions")


def code(display):
    """at a stop the accessing call is marked in the driver's source and instructions"""
    with Window(display) as w:
        w.fill("breakpoints.expression", "write FACTORIAL", "breakpoints.row.1")
        w.click("toolbar.run")
        w.wait("stop.headline", "write FACTORIAL")
        w.wait("code.frame.0")
        w.wait("code.accessing", "call")
        w.wait("code.source", "kFactorial")


def live_count(display):
    """an expression tells, while it is typed, how often it would have matched"""
    with ran(display) as w:
        count, = w.query("SELECT count(*) FROM event WHERE kind=? AND bar=0 AND offset=?",
                         MEM_WRITE, LIVENESS)[0]
        w.fill("breakpoints.expression", "write LIVENESS")
        w.wait("breakpoints.preview", f"{count} so far")
        w.fill("breakpoints.expression", "write LIVENESS", "breakpoints.row.1")
        w.wait("breakpoints.row.1.so_far", f"{count} in the trace")
        w.wait("breakpoints.row.1.count", "0 hits")


def console(display):
    """the console in the window completes, answers and remembers"""
    with Window(display) as w:
        w.wait("stop.headline")
        w.click("tab.console")
        w.wait("console.keyboard", "here")
        w.type("read LIVEN")
        w.key("Tab")
        w.wait("console.input", "read LIVENESS")
        w.key("Return")
        w.wait("console.answer")
        w.key("Up")
        w.wait("console.input", "read LIVENESS")


def foreseen(display):
    """a read that is held shows what the answer would be, and the driver gets that"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.wait("stop.foreseen", "0x010000ed")
        w.wait("stop.field.MAJOR", "1")
        w.key("F10")
        w.wait("stop.headline", "write LIVENESS")
        value, = w.wait_row("SELECT value FROM event WHERE kind=? AND bar=0 AND offset=0", MEM_READ)
        check(value == 0x010000ed, f"the driver got {value:#x}")


def stop_in_front(display):
    """a stop comes to the front of the tabs that hide it, a step leaves them as they are"""
    with Window(display) as w:
        w.wait("stop.headline", "read ID")
        w.key("ctrl+F2")
        w.wait("stop.headline", "read ID")
        w.click("tab.registers", then="registers.row.ID")
        w.wait("stop.headline", gone=True)
        w.key("F10")
        w.wait("toolbar.state", "step")
        w.wait("registers.row.ID")
        w.click("tab.console")
        w.wait("console.keyboard", "here")
        w.type("break write FACTORIAL")
        w.key("Return")
        w.wait("console.answer", "breakpoint 1")
        w.key("F5")
        w.wait("stop.headline", "write FACTORIAL")


def ticks(display):
    """the View menu ticks the layout and the theme in use"""
    with Window(display) as w:
        w.wait("stop.headline")
        w.key("ctrl+F3")
        w.click("menu.View", then="menu.item.Layout: Learn")
        w.wait("menu.item.Layout: Learn", "on")
        w.wait("menu.item.Dark theme", "on")
        check(w.text("menu.item.Layout: Debug") == "", "two layouts are ticked")
        check(w.text("menu.item.Light theme") == "", "two themes are ticked")


def assumed(display):
    """a recording's register is marked until the recording has told of it"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        run = subprocess.run([os.environ["PCILENS"], "console", "--device", "edu", "--trace", trace,
                              "--no-hold", "-e", "wait end"], capture_output=True, check=False)
        check(run.returncode == 0, run.stderr)
        with Window(display, recording=trace) as w:
            w.wait("registers.row.FACTORIAL", "0x00000000 reset")
            w.fill("breakpoints.expression", "write FACTORIAL", "breakpoints.row.1")
            w.key("F5")
            w.wait("stop.headline", "write FACTORIAL")
            w.wait("registers.row.FACTORIAL", "0x0000000a")
            check("reset" not in w.text("registers.row.FACTORIAL"), "it is told of now")


def go_to(display):
    """Ctrl+G finds a register by its beginning and a transaction by its number"""
    with ran(display) as w:
        w.click("tab.config")
        w.wait("registers.row.ID", gone=True)
        w.key("ctrl+g")
        w.fill("goto.input", "irq_st", "registers.row.IRQ_STATUS")
        w.show(w.seq_of(MEM_WRITE, FACTORIAL))
        w.wait("detail.headline", "write FACTORIAL")


def fast_typing(display):
    """what is typed faster than pictures are drawn is not lost"""
    with Window(display) as w:
        w.wait("stop.headline")
        for attempt in range(3):
            w.click("breakpoints.expression")
            w.key("ctrl+a")
            w.xdotool("type", "--delay", 1, "write FACTORIAL and value")
            w.wait("breakpoints.expression", "write FACTORIAL and value")
            # An X client takes what follows within 20 ms for the server's own repetition.
            w.xdotool("key", "--delay", 60, *["BackSpace"] * 10)
            until = time.monotonic() + 60
            while w.text("breakpoints.expression") != "write FACTORIAL" and time.monotonic() < until:
                time.sleep(0.1)
            check(w.text("breakpoints.expression") == "write FACTORIAL",
                  f"round {attempt}: {w.text('breakpoints.expression')!r}")


def layouts(display):
    """a layout and a theme that were chosen are there again the next time"""
    with tempfile.TemporaryDirectory() as config:
        with Window(display, config=config) as w:
            w.wait("panel.breakpoints")
            w.key("ctrl+F2")
            w.wait("panel.console")
            w.key("ctrl+p")
            w.fill("palette.input", "light theme")
            w.wait("palette.item.Light theme")
            w.key("Return")
            time.sleep(1)
            w.quit()
        with open(os.path.join(config, "pcilens", "window"), encoding="utf-8") as file:
            kept = file.read()
        check("theme light" in kept and "layout columns" in kept, kept)
        with Window(display, config=config) as w:
            w.wait("panel.console")
            w.wait("panel.detail")


def commands(display):
    """an NVMe command is a row, and leads to the transactions it is made of"""
    with Window(display, device="nvme,traffic=0") as w:
        w.wait("stop.headline")
        w.key("F5")
        w.wait("toolbar.state", "Ended")
        w.click("tab.commands", then="commands.row.1")
        w.wait("commands.row.1", "IDENTIFY")
        w.click("commands.row.1", then="commands.step.0")
        steps = [r["text"] for n, r in sorted(w.rects().items()) if n.startswith("commands.step.")]
        check("doorbell" in steps[0], f"the first step is {steps[0]}")
        w.click("commands.step.1")
        w.wait("detail.headline", "DMA read")


def nvme_enable(display):
    """NVMe is stopped where the driver enables the controller, by a field's transition"""
    with Window(display, device="nvme") as w:
        w.fill("breakpoints.expression", "CC.EN 0->1", "breakpoints.row.1")
        w.click("toolbar.run")
        w.wait("stop.headline", "write CC")
        w.wait("stop.field.EN", "1")


def gallery(display):
    """the pictures of the gallery show NVMe queues and commands, a transaction, and the light theme"""
    with Window(display, device="nvme") as w:
        w.fill("breakpoints.expression", "write SQ[1].TDBL", "breakpoints.row.1")
        w.click("toolbar.run")
        w.wait("stop.headline", "write SQ[1].TDBL")
        w.click("tab.memory", then="memory.as.SQE")
        queue, = w.wait_row("SELECT value & -4096 FROM event WHERE kind=3 AND bar=0 AND offset=40")
        w.click(f"memory.mapping.0x{queue:08x}")
        w.click("memory.as.SQE", then="memory.entry.0")
        w.wait("memory.entry.0", "OPC=")
        w.picture("memory")
        w.click("breakpoints.row.1.enabled")
        w.key("F5")
        w.wait("toolbar.state", "Ended")
        w.click("tab.registers")
        w.click("tab.commands", then="commands.row.141")
        w.click("commands.row.141", then="commands.step.0")
        w.picture("commands")
    with ran(display) as w:
        w.key("ctrl+F2")
        seq, = w.wait_row("SELECT seq FROM event WHERE kind=?", DMA_WRITE)
        w.show(seq)
        w.wait("detail.hex.0")
        w.picture("detail")
        w.key("ctrl+F1")
        w.key("ctrl+p")
        w.fill("palette.input", "light theme")
        w.wait("palette.item.Light theme")
        w.key("Return")
        w.wait("palette.input", gone=True)
        w.picture("light")


def replays(display):
    """what was recorded is replayed to a fresh device from the palette, and a recording as well"""
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "run.trace")
        run = subprocess.run([os.environ["PCILENS"], "console", "--device", "nvme", "--trace", trace,
                              "--no-hold", "-e", "wait end"], capture_output=True, check=False)
        check(run.returncode == 0, run.stderr)
        for name in (None, trace):
            with Window(display, device="nvme", recording=name) as w:
                w.wait("stop.headline")
                if name is None:
                    w.key("F5")
                    w.wait("toolbar.state", "Ended")
                w.key("ctrl+p")
                w.fill("palette.input", "fresh")
                w.wait("palette.item.Replay to a fresh device")
                w.key("Return")
                w.wait("status.left", "0 divergences")


def drawn_in_parts(display):
    """a picture that was drawn in parts, as things changed, is the one that is drawn whole"""
    with Window(display, device="nvme") as w, tempfile.TemporaryDirectory() as folder:

        def theme(name):
            w.key("ctrl+p")
            w.fill("palette.input", name + " theme")
            w.wait(f"palette.item.{name.capitalize()} theme")
            w.key("Return")
            w.wait("palette.input", gone=True)

        def taken(name):
            w.move_to("toolbar.state", x=3)
            time.sleep(1)
            w.screenshot(os.path.join(folder, name))
            # How long it has been held is another thing in each picture.
            held = w.wait("stop.held")
            left, top = round(held["x"]) - 1, round(held["y"]) - 1
            right, bottom = left + round(held["w"]) + 2, top + round(held["h"]) + 2
            subprocess.run(["mogrify", "-draw", f"rectangle {left},{top} {right},{bottom}", name],
                           cwd=folder, check=True)

        def differing(one, other):
            run = subprocess.run(["compare", "-metric", "AE", one, other, "null:"], cwd=folder,
                                 capture_output=True, text=True, check=False)
            return float(run.stderr.split()[0])

        w.wait("stop.headline")
        for _ in range(12):
            w.key("F10")
            time.sleep(0.1)
        w.click("tab.config")
        w.fill("breakpoints.expression", "write SQTDBL[1]", "breakpoints.row.1")
        w.click("tab.registers")
        w.key("F5")
        w.wait("stop.headline", "write SQ")
        taken("parts.png")
        theme("light")
        taken("light.png")
        theme("dark")
        taken("whole.png")
        check(differing("parts.png", "light.png") > 100_000, "the theme did not change")
        # The marker that tells whether a part is enough.
        left = differing("parts.png", "whole.png")
        check(left <= 1, f"{left:.0f} pixels differ")


CASES = [foreseen, stop_in_front, ticks, assumed, detail, payload, edit_shown, memory, code, live_count, console, go_to, fast_typing,
         layouts, commands, nvme_enable, replays, drawn_in_parts,
         gallery]
