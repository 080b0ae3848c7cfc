"""Freed memory stays with a process that trains."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")

PAGE_FAULTS = """
import resource
import torch
from PulsarCAMLib.systems.autoencoder.learning.memory import keep_freed_memory

torch.set_num_threads(1)
assert keep_freed_memory()

def batch():
    maps = [torch.ones(2 * 1024 * 1024) for _ in range(6)]

for _ in range(5):
    batch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    batch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_later_batches_need_no_new_pages():
    found = subprocess.run([sys.executable, "-c", PAGE_FAULTS], capture_output=True, text=True, check=True)
    assert int(found.stdout) < 200
