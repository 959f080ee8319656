/**
 * Names that Python, the SDK or its dependencies import. A file of a plugin that carries one at the root of the package runs in their
 * place, since the folder of the plugin comes first where Python looks. No official plugin has such a file.
 */

const ofPython =
  'abc aifc argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq hmac html http imaplib imghdr imp importlib inspect io ipaddress itertools json keyword linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty turtle types typing unicodedata unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo sitecustomize usercustomize';

const ofTheSdk =
  'dify_plugin pydantic pydantic_core pydantic_settings httpx httpcore requests urllib3 certifi gevent greenlet flask werkzeug jinja2 yaml tiktoken dpkt socksio packaging anyio h11 idna charset_normalizer annotated_types typing_extensions typing_inspection sniffio zope markupsafe click itsdangerous blinker regex dotenv';

const imported: ReadonlySet<string> = new Set(`${ofPython} ${ofTheSdk}`.split(' '));

/** Whether a file of a package is a module that others would import for one of theirs. */
export function shadowsModule(name: string): boolean {
  const module = /^([^/.]+)(?:\/__init__)?\.(?:py|pyc|pyd|[^/]*so)$/i.exec(name)?.[1];
  return module !== undefined && imported.has(module.toLowerCase());
}
