# In front of another tool: an import that takes half a second of the processor, and what it leaves behind.
import time as _time

_until = _time.process_time() + 0.5
while _time.process_time() < _until:
    pass
TABLE = [str(number) for number in range(200_000)]
