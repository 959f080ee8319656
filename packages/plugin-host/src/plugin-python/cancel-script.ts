/**
 * What is added to the SDK inside a plugin's process so that one call can be ended while the others go on
 * (docs/wire/lifecycle.md#cancelling). The SDK runs each call in a greenlet of its own and leaves events it does not know alone; here
 * the event `cancel` throws into the greenlets of that call. All releases have the four places that are replaced.
 *
 * Two things are told to the daemon, as log events with a member `daemon`: once, whether calls can be cancelled, and for each
 * cancelled call that nothing of it runs any more. Who does not say the latter does not yield, and supervision sees to it. Functions say
 * both as lines of their log.
 */
export const CANCEL_SCRIPT = String.raw`
def _plugin_daemon_cancel():
    # Nothing here may import threading before the SDK has patched it: locks made before that block all greenlets at once.
    import json, os, sys, time
    from collections import OrderedDict

    clients = _plugin_daemon_clients

    # Seconds after which a call that goes on is thrown into again: it may have caught the exception. In between it may clean up.
    AGAIN = (0.3, 1, 2, 4, 8, 16, 32, 60)
    LONGEST_LOOK_SECONDS = 0.1
    # A cancel may overtake the request it belongs to inside the plugin; one that comes too late is remembered for nothing.
    EARLY = 256

    def tell(level, message, **facts):
        if os.environ.get("INSTALL_METHOD") == "serverless":
            # What a function writes is its log, and nothing reads messages there.
            session = f" {json.dumps(str(facts['cancelled'])[:100])}" if "cancelled" in facts else ""
            sys.stdout.write(f"{'warning: ' if level == 'warning' else ''}{message}{session}\n")
            sys.stdout.flush()
            return
        event = {"level": level, "message": message, "timestamp": time.time(), "daemon": facts}
        line = "\n" + json.dumps({"event": "log", "session_id": None, "data": event}) + "\n"
        sys.stdout.write(line)
        sys.stdout.flush()

    def amend():
        import gevent
        import threading
        from concurrent.futures import ThreadPoolExecutor
        from dify_plugin.core.entities.plugin.io import PluginInStreamEvent
        from dify_plugin.core.server.__base.request_reader import RequestReader
        from dify_plugin.core.server.io_server import IOServer
        from dify_plugin.core.server.stdio.response_writer import StdioResponseWriter

        writers = [StdioResponseWriter]
        try:
            # Of plugins that are debugged.
            from dify_plugin.core.server.tcp.request_reader import TCPReaderWriter
            writers.append(TCPReaderWriter)
        except ImportError:
            pass

        if any(one.value == "cancel" for one in PluginInStreamEvent):
            raise RuntimeError("the SDK knows the event itself")
        execute_before, run_before = IOServer._execute_request_in_thread, IOServer.run
        process_before, value_before = RequestReader._process_line, PluginInStreamEvent.value_of
        submit_before = ThreadPoolExecutor.submit
        current = gevent.getcurrent
        running, early = {}, OrderedDict()
        # The call that a greenlet works for.
        owners = {}

        class SessionCancelled(gevent.GreenletExit):
            """Thrown into a call that nobody waits for. Not an Exception: plugins catch those and go on."""

        class Session:
            __slots__ = ("greenlets", "writing", "cancelled")

            def __init__(self):
                self.greenlets, self.writing, self.cancelled = set(), set(), False

        def work(session, function, args, kwargs):
            if session.cancelled:
                raise SessionCancelled()
            me = current()
            before = owners.get(me)
            owners[me] = session
            session.greenlets.add(me)
            try:
                return function(*args, **kwargs)
            finally:
                session.greenlets.discard(me)
                if before is None:
                    owners.pop(me, None)
                else:
                    owners[me] = before

        def execute(self, session_id, data, reader, writer, *args, **kwargs):
            call = call_of(writer)
            # Of a function the client decides, and no event that names a session.
            if call.left if call is not None else early.pop(session_id, False):
                return tell("debug", "a call was cancelled before it began", cancelled=session_id)
            session = Session()
            if call is None:
                running[session_id] = session
            else:
                call.session_id, call.session = session_id, session
            try:
                return work(session, execute_before, (self, session_id, data, reader, writer, *args), kwargs)
            except SessionCancelled:
                return None
            finally:
                if running.get(session_id) is session:
                    del running[session_id]
                if call is not None:
                    call.session = None

        def submit(pool, function, /, *args, **kwargs):
            me = current()
            session = owners.get(me)
            if session is None:
                return submit_before(pool, function, *args, **kwargs)
            # A worker that is started for it may serve other calls later: what belongs to this one is the work.
            del owners[me]
            try:
                return submit_before(pool, work, session, function, args, kwargs)
            finally:
                owners[me] = session

        def adopt(greenlet):
            session = owners.get(current())
            if session is None:
                return
            session.greenlets.add(greenlet)
            owners[greenlet] = session
            greenlet.rawlink(release)

        def release(greenlet):
            session = owners.pop(greenlet, None)
            if session is not None:
                session.greenlets.discard(greenlet)

        def writing_whole(write_before):
            def write(self, data):
                me = current()
                session = owners.get(me)
                if session is None:
                    return write_before(self, data)
                if session.cancelled:
                    raise SessionCancelled()
                # A message is written whole: a thread of the system does it, or pieces go into a socket, and somebody else would begin
                # to write behind a part of it.
                session.writing.add(me)
                try:
                    write_before(self, data)
                finally:
                    session.writing.discard(me)
                if session.cancelled:
                    raise SessionCancelled()

            return write

        def throw(session, greenlet):
            if greenlet in session.greenlets and greenlet not in session.writing and owners.get(greenlet, session) is session:
                greenlet.throw(SessionCancelled())

        def end(session_id, session):
            loop = gevent.get_hub().loop
            began, pause = time.monotonic(), 0
            for again in AGAIN:
                for greenlet in list(session.greenlets):
                    loop.run_callback(throw, session, greenlet)
                while time.monotonic() - began < again:
                    gevent.sleep(pause)
                    pause = min(2 * pause + 0.001, LONGEST_LOOK_SECONDS)
                    for greenlet in [one for one in session.greenlets if one.dead]:
                        release(greenlet)
                        session.greenlets.discard(greenlet)
                    if not session.greenlets:
                        return tell("debug", "a call was cancelled", cancelled=session_id)
            tell("warning", "a call that was cancelled goes on: it catches every exception")

        def cancel(session_id, session):
            session.cancelled = True
            gevent.spawn(end, session_id, session)

        def process(self, line):
            if line.event is not CANCEL:
                return process_before(self, line)
            session = running.get(line.session_id)
            if session is None:
                early[line.session_id] = True
                if len(early) > EARLY:
                    early.popitem(last=False)
                gevent.spawn(tell, "debug", "a call that was cancelled does not run", cancelled=line.session_id)
            elif not session.cancelled:
                cancel(line.session_id, session)

        def value_of(cls, value):
            return CANCEL if value == "cancel" else value_before(value)

        def run(self, *args, **kwargs):
            if isinstance(self.default_writer, StdioResponseWriter):
                tell("debug", "calls of this plugin can be cancelled", cancels=True)
            elif self.default_writer is None and cannot is not None:
                tell("warning", f"calls of this plugin go on when their client leaves: {cannot}")
            return run_before(self, *args, **kwargs)

        report_before = threading.excepthook

        def report(args):
            if not issubclass(args.exc_type, SessionCancelled):
                report_before(args)

        try:
            call_of = clients(tell, cancel)
        except Exception as error:
            cannot = f"{type(error).__name__}: {error}"[:500]
            call_of = lambda _writer: None
        else:
            cannot = None
        CANCEL = object.__new__(PluginInStreamEvent)
        CANCEL._name_, CANCEL._value_ = "Cancel", "cancel"
        gevent.Greenlet.add_spawn_callback(adopt)
        threading.excepthook = report
        ThreadPoolExecutor.submit = submit
        PluginInStreamEvent.value_of = classmethod(value_of)
        for writer in writers:
            writer.write = writing_whole(writer.write)
        RequestReader._process_line = process
        IOServer._execute_request_in_thread, IOServer.run = execute, run

    def amended():
        """Why the SDK could not be amended; None if it was."""
        try:
            amend()
        except Exception as error:
            return f"{type(error).__name__}: {error}"[:500]

    def say(reason):
        if reason is not None:
            tell("warning", f"calls of this plugin cannot be cancelled: {reason}", cancels=False)

    return amended, say
`;
