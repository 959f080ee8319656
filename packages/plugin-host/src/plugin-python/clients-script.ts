/**
 * What is added to the SDK inside a function (`INSTALL_METHOD=serverless`), where a call is an HTTP request and the one who waits for it is
 * its client: a call whose client has left, or whose answer is read no further, is ended as the event `cancel` ends one of a local plugin.
 *
 * The SDK's server learns that a client has left when it writes to it next. Here the connections of open calls are looked at: that their
 * other side sends no more counts as having left, as it does for most servers, because a closed connection cannot be told from one that
 * is closed halfway. What has come of a next request is left alone.
 */
export const CLIENTS_SCRIPT = `
def _plugin_daemon_clients(tell, cancel):
    """@param cancel ends a session @returns the call of a writer, None for one that is no function's"""
    import select
    import socket
    import gevent
    import gevent.socket
    from flask import request
    from gevent import monkey
    from dify_plugin.core.server.serverless.request_reader import ServerlessRequestReader
    from dify_plugin.core.server.serverless.response_writer import ServerlessResponseWriter

    if not hasattr(select, "POLLRDHUP"):
        raise RuntimeError("this system does not tell when a client has left")
    if socket.socket is not gevent.socket.socket:
        # The SDK serves from threads of the system then, and what ends calls is of greenlets.
        raise RuntimeError("it does not run on greenlets")
    # Not by greenlets that wait for a connection: it can be read, too, because a next request has come, and again and again then.
    LEFT = select.POLLRDHUP | select.POLLHUP | select.POLLERR
    LOOK_SECONDS = 0.1
    poll = monkey.get_original("select", "poll")
    current = gevent.getcurrent
    handler_before, launch_before = ServerlessRequestReader.handler, ServerlessRequestReader.launch
    writer_before, done_before = ServerlessResponseWriter.__init__, ServerlessResponseWriter.done
    # By the greenlet of their request, until it is known that they are calls.
    made = {}
    watched = set()
    watcher = None

    class Call:
        """Of one request. Not found by its session: one that is sent again is another call of the same."""

        __slots__ = ("writer", "connection", "session_id", "session", "answered", "left")

        def __init__(self, writer):
            self.writer, self.connection, self.session_id, self.session = writer, None, None, None
            self.answered = self.left = False

        def leave(self):
            watched.discard(self)
            if self.answered or self.left:
                return
            self.left = True
            # What reads the answer waits for the next piece.
            done_before(self.writer)
            if self.session is not None:
                cancel(self.session_id, self.session)

    class Answer:
        """The pieces of an answer; not a generator, which is not told of its end before it has begun."""

        def __init__(self, pieces, call):
            self.pieces, self.call = pieces, call

        def __iter__(self):
            return self

        def __next__(self):
            try:
                return next(self.pieces)
            except BaseException:
                # The SDK ends answers also because nothing was said for too long.
                self.call.leave()
                raise

        def close(self):
            self.call.leave()
            self.pieces.close()

    def init(self, *args, **kwargs):
        writer_before(self, *args, **kwargs)
        self._plugin_daemon_call = made[current()] = Call(self)

    def done(self):
        call = call_of(self)
        if call is not None:
            call.answered = True
        done_before(self)

    def call_of(writer):
        return getattr(writer, "_plugin_daemon_call", None)

    def watch():
        while watched:
            gevent.sleep(LOOK_SECONDS)
            look, calls = poll(), {}
            for call in list(watched):
                number = call.connection.fileno()
                if number < 0:
                    call.leave()
                else:
                    calls[number] = call
                    look.register(number, LEFT)
            for number, _ in look.poll(0):
                calls[number].leave()

    def handler(self):
        nonlocal watcher
        try:
            answer = handler_before(self)
        finally:
            call = made.pop(current(), None)
        if call is None or not isinstance(answer, tuple) or answer[1] != 200:
            return answer
        try:
            call.connection = request.environ["wsgi.input"].rfile.raw._sock
            call.connection.fileno()
        except Exception as error:
            tell("warning", f"a call goes on when its client leaves: {type(error).__name__}: {error}"[:500])
        else:
            watched.add(call)
            if watcher is None or watcher.dead:
                watcher = gevent.spawn(watch)
        return (Answer(answer[0], call), *answer[1:])

    def launch(self):
        # Before anybody can call.
        tell("debug", "calls of this plugin are cancelled when their client leaves")
        launch_before(self)

    ServerlessResponseWriter.__init__, ServerlessResponseWriter.done = init, done
    ServerlessRequestReader.handler, ServerlessRequestReader.launch = handler, launch
    return call_of
`;
