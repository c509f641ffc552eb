"""A build backend that builds nothing.

`pip download` asks a source package's build backend for its metadata, which would run the package's own code (for
lupa nearly two minutes of code generation). Only the C files are wanted, so this answers in its place.
"""

import os
import re


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    info = open("PKG-INFO", encoding="utf-8").read()
    name, version = (re.search(rf"^{key}: *(\S+)", info, re.MULTILINE)[1] for key in ("Name", "Version"))
    folder = f"{name}-{version}.dist-info"
    os.makedirs(os.path.join(metadata_directory, folder), exist_ok=True)
    with open(os.path.join(metadata_directory, folder, "METADATA"), "w", encoding="utf-8") as metadata:
        metadata.write(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def get_requires_for_build_wheel(config_settings=None):
    return []


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise NotImplementedError("only sources are wanted")


class _Legacy:
    """What pip asks for when the package names no backend."""

    prepare_metadata_for_build_wheel = staticmethod(prepare_metadata_for_build_wheel)
    get_requires_for_build_wheel = staticmethod(get_requires_for_build_wheel)
    build_wheel = staticmethod(build_wheel)


__legacy__ = _Legacy()
