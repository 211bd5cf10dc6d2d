"""Runs one command and tells what it cost: `python -I -S audit_child.py RESULT.json COMMAND...`.

A process of its own, and a small one: the highest memory of a child counts from before its own program was loaded, so
a large parent would show up in it (Linux keeps that figure across exec).
"""

import json
import os
import sys
import time


def main() -> None:
    result, *command = sys.argv[1:]
    start = time.perf_counter()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    spent = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    with open(result, "w", encoding="ascii") as file:
        json.dump(
            {
                "seconds": spent,
                "cpu": used.ru_utime + used.ru_stime,
                "rss": used.ru_maxrss * unit,
                "code": os.waitstatus_to_exitcode(status),
            },
            file,
        )


if __name__ == "__main__":
    main()
