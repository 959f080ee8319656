import { expect, test } from 'vitest';
import { withoutIgnored } from './python-output.ts';

test('what Python ignored at its end does not hide what ended it', () => {
  const lines = `Traceback (most recent call last):
  File "main.py", line 1, in <module>
    import numpy
RuntimeError: NumPy was built with baseline optimizations that your machine does not have
Exception ignored in: <function _after_fork at 0x7f>
Traceback (most recent call last):
  File "threading.py", line 1624, in _shutdown

RuntimeError: greenlet is being finalized
Exception ignored on threading shutdown: <x>
RuntimeError: greenlet is being finalized
the end`.split('\n');
  expect(withoutIgnored(lines)).toEqual([...lines.slice(0, 4), 'the end']);
  expect(withoutIgnored(['an Exception ignored here', '  stays'])).toEqual(['an Exception ignored here', '  stays']);
});
