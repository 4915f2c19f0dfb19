"""Where numbers come from: enough to tell two machines, or two states of the source, apart."""

import json
import platform
import subprocess
from functools import cache
from pathlib import Path

import spikesim


@cache
def provenance() -> str:
    """JSON text: Python, platform, processor, BLAS, and the commit where the package lies in a repository.

    Versions of packages, the random layout and the device are in every result's attributes already.
    """
    from threadpoolctl import threadpool_info

    blas = [f"{x['internal_api']} {x['version']} {x.get('architecture', '')}".strip() for x in threadpool_info()
            if x["user_api"] == "blas"]  # fmt: skip
    found = {
        "python": platform.python_version(), "platform": platform.platform(), "cpu": cpu(), "blas": sorted(set(blas)),
        "commit": commit(Path(spikesim.__file__).parent),
    }  # fmt: skip
    return json.dumps(found, sort_keys=True)


def cpu() -> str:
    """The processor's name, as far as the system tells."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def commit(folder: Path) -> str:
    """The commit of the repository that tracks a folder, "+" where its files are changed since; empty where none does."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True).stdout

    try:
        if not git("ls-files", "."):
            return ""
        return git("rev-parse", "HEAD").strip() + ("+" if git("status", "--porcelain", ".") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""
