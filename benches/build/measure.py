"""Runs a command, and prints its milliseconds, those of processors and its peak kilobytes, its children's included."""

import json
import resource
import subprocess
import sys
import time

began = time.monotonic()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
wall = time.monotonic() - began
if status.returncode != 0:
    sys.exit(status.stderr.decode(errors="replace"))
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"wall": wall * 1000, "cpu": (usage.ru_utime + usage.ru_stime) * 1000, "kilobytes": usage.ru_maxrss}))
