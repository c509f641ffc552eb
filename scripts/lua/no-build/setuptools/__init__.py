# Stands before the real setuptools on PYTHONPATH while a source package is fetched for its C files; see build_meta.py.
