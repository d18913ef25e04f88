"""The package's metadata; tools are configured in ``pyproject.toml``."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
REPOSITORY = "https://github.com/connectordb/connectordb-python"

# Where the README is shown away from the repository, its picture and its pages are still found.
READABLE = re.sub(
    r"(!\[[^]]*\]\()(?=docs/)", rf"\1{REPOSITORY}/raw/main/", (HERE / "README.md").read_text(encoding="utf-8")
)
READABLE = re.sub(r"(?<=\]\()(?=docs/|examples\))", f"{REPOSITORY}/blob/main/", READABLE)
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "connectordb/__init__.py").read_text(encoding="utf-8"))
assert VERSION is not None

# What has no wheel for 32-bit ARM, or no use there, is left out by this marker (docs/howto/small_board.rst).
# armv8l is what a 64-bit kernel calls itself to 32-bit programs.
NOT_ARM32 = "platform_machine not in 'armv6l armv7l armv8l'"

# What has wheels for these machines only; elsewhere the standard library, or orjson, does the same, slower.
WITH_WHEELS = "platform_machine in 'x86_64 AMD64 aarch64 arm64'"

EXTRAS = {
    "server": [
        "aiohttp>=3.13.3",
        "bcrypt>=4.1",  # the passwords of imported users
        "orjson>=3.9",
        "itsdangerous>=2.1",
        "prometheus-client>=0.17",  # metrics, where they are wanted
        f"google-re2>=1.1; {NOT_ARM32}",
        f"isal>=1.6; {WITH_WHEELS} and implementation_name == 'cpython'",  # zlib, twice as fast
        f"msgspec>=0.19; {WITH_WHEELS} and implementation_name == 'cpython'",  # decodes many points at once
        "tomli>=2; python_version < '3.11'",  # the standard library's tomllib, before it was there
    ],
    "cli": [
        "click>=8.1",
        "rich>=13",
        "plotext>=5.2,<6",
        *(f"{library}; {NOT_ARM32}" for library in ("psutil>=5.9", "dateparser>=1.5")),
    ],
    "times": ["dateparser>=1.5"],  # older ones keep what they were asked in memory
    "fast": ["orjson>=3.9"],
    "frames": [
        *(f"{library}; {NOT_ARM32}" for library in ("numpy>=1.24", "pandas>=2.0", "pyarrow>=14", "orjson>=3.9")),
        f"msgspec>=0.19; {WITH_WHEELS} and implementation_name == 'cpython'",
    ],
    "plot": [f"{library}; {NOT_ARM32}" for library in ("matplotlib>=3.10", "numpy>=1.24")],
    "sentiment": ["afinn>=0.1"],
}
EXTRAS["all"] = sorted({requirement for extra in EXTRAS.values() for requirement in extra})
EXTRAS["test"] = ["nose2>=0.15", "hypothesis>=6.100", "coverage>=7.10"]

setup(
    name="ConnectorDB",
    version=VERSION[1],
    description="Python client of ConnectorDB, a live database for the data of devices and people; brings its own server",
    long_description=READABLE,
    long_description_content_type="text/markdown",
    author="The ConnectorDB contributors",
    url=REPOSITORY,
    project_urls={
        "Documentation": "https://connectordb-python.readthedocs.io/",
        "Changelog": "https://github.com/connectordb/connectordb-python/blob/main/CHANGELOG.md",
        "Issues": "https://github.com/connectordb/connectordb-python/issues",
    },
    license="Apache-2.0",
    license_files=["LICENSE"],
    keywords=["ConnectorDB", "time series", "IoT", "sensor", "logging", "quantified self", "live data"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Database",
        "Topic :: Home Automation",
        "Topic :: Scientific/Engineering",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["connectordb", "connectordb.*"]),
    package_data={"connectordb": ["py.typed"]},
    python_requires=">=3.10",
    install_requires=[
        "requests>=2.32.2",
        "urllib3>=2",  # beneath requests; its connections are given their deadlines
        "certifi",  # whom requests trusts, and so the websocket
        "websocket-client>=1.9.2",
        "apsw>=3.46",
        "jsonschema>=4.17",
        "fastjsonschema>=2.16",
        "filelock>=3.13",
        "platformdirs>=3",  # where the file of profiles is
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["connectordb=connectordb.cli:main"]},
    zip_safe=False,
)
