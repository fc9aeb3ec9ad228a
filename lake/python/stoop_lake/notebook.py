"""`lake/notebook`: runs the notebook without a browser and keeps its pictures."""

from __future__ import annotations

import asyncio
import atexit
import base64
import logging
import os
import tempfile
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets import default

from stoop_lake.errors import LakeError
from stoop_lake.star import is_unfinished

LAKE = Path(__file__).resolve().parents[2]
NOTEBOOK = LAKE / "notebooks" / "market.ipynb"
CELL_SECONDS_MAX = 120


class FileKernelManager(AsyncKernelManager):
    """Reaches the kernel through files: no port is opened."""

    @default("transport")
    def _transport(self) -> str:
        return "ipc"

    @default("ip")
    def _ip(self) -> str:
        # The beginning of the files' names; otherwise they are left where the command was started.
        return str(Path(os.environ["JUPYTER_RUNTIME_DIR"]) / "kernel")


def run(args: Namespace) -> None:
    """Writes the notebook with its results, and each picture as a file, to a folder."""
    pictures = execute(Path(args.star), Path(args.out))
    print(f"{args.out}: the notebook with its results, and {len(pictures)} pictures")


def execute(star: Path, out: Path) -> list[Path]:
    """Runs the notebook on a star schema. Returns its pictures."""
    if not star.is_file():
        raise LakeError(f"no star schema {star}; lake/gold makes it")
    if is_unfinished(star):
        raise LakeError(f"{star} is unfinished; run lake/gold again")
    notebook = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stoop-notebook-") as scratch:
        # Nothing of the user's own settings, and nothing kept in them.
        os.environ |= {
            "STOOP_STAR": str(star.resolve()),
            "STOOP_QUERIES": str(LAKE / "queries"),
            "IPYTHONDIR": scratch,
            "JUPYTER_CONFIG_DIR": scratch,
            "JUPYTER_DATA_DIR": scratch,
            "JUPYTER_RUNTIME_DIR": scratch,
            "MPLCONFIGDIR": scratch,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        try:
            _run(
                NotebookClient(
                    notebook,
                    timeout=CELL_SECONDS_MAX,
                    kernel_name="python3",
                    kernel_manager_class=FileKernelManager,
                    # Only what ends the kernel: it logs that it is ended.
                    extra_arguments=["--log-level=CRITICAL"],
                )
            )
        except CellExecutionError as error:
            raise LakeError(f"{NOTEBOOK.name}: {error.ename}: {error.evalue}") from error
        except CellTimeoutError as error:
            raise LakeError(f"{NOTEBOOK.name}: a cell takes longer than {CELL_SECONDS_MAX} s") from error
        finally:
            # With what was answered until a mistake.
            nbformat.write(notebook, out / NOTEBOOK.name)  # type: ignore[no-untyped-call]
    return _pictures(notebook, out)


def _run(client: NotebookClient) -> None:
    """Runs the cells in a thread, so that Ctrl-C comes here: nbclient would take the kernel away while it is used."""
    loop = asyncio.new_event_loop()
    task = loop.create_task(client.async_execute())

    def work() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(_of(task))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(work)
        try:
            # Python may miss a signal just before it begins to wait, and would see it when the wait ends.
            while not wait([running], timeout=0.2).done:
                pass
            running.result()
        except KeyboardInterrupt:
            # The libraries log that the kernel is missed.
            logging.disable()
            # It may have ended meanwhile.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
            # nbclient takes a cancelled cell for a dead kernel.
            with suppress(asyncio.CancelledError, DeadKernelError):
                running.result()
            if client.km is None:
                # There is nothing left to end at the exit.
                atexit.unregister(client._cleanup_kernel)
            raise


async def _of(task: asyncio.Task[nbformat.NotebookNode]) -> None:
    await task


def _pictures(notebook: nbformat.NotebookNode, out: Path) -> list[Path]:
    files: list[Path] = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture:
                file = out / f"picture-{len(files) + 1}.png"
                file.write_bytes(base64.b64decode(picture))
                files.append(file)
    return files
