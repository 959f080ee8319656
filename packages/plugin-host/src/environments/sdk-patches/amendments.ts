/**
 * What is wrong in old releases of the SDK, and Python that puts it right when it stands at the end of the module: it
 * replaces single methods and classes there and leaves the rest of each release as it is (docs/wire/lifecycle.md#sdk-amendments).
 */
export interface Amendment {
  /** Applies to releases from this one on; to all earlier ones too when absent. */
  readonly since?: string;
  /** Applies to releases before this one. */
  readonly before: string;
  /** The module, relative to the SDK's package directory. */
  readonly file: string;
  readonly reason: string;
  readonly python: string;
}

export const AMENDMENTS: readonly Amendment[] = [
  {
    before: '0.0.1b70',
    file: 'interfaces/model/ai_model.py',
    reason: 'counting tokens made a thread pool for every text and never gave it back, and took minutes for long texts',
    python: `
_counting_pool = None
_count_tokens_before = AIModel._get_num_tokens_by_gpt2


def _count_tokens(self, text: str) -> int:
    global _counting_pool
    if len(text) >= 100000:
        return len(text)
    try:
        import tiktoken
    except ImportError:
        return _count_tokens_before(self, text)

    def count() -> int:
        return len(tiktoken.encoding_for_model("gpt2").encode(text))

    import socket

    import gevent.socket

    if socket.socket is not gevent.socket.socket:
        return count()
    if _counting_pool is None:
        import gevent.threadpool

        _counting_pool = gevent.threadpool.ThreadPool(1)
    return _counting_pool.spawn(count).get(block=True) or 0


AIModel._get_num_tokens_by_gpt2 = _count_tokens
`,
  },
  {
    before: '0.1.1',
    file: 'entities/model/llm.py',
    reason: 'every chunk carried the whole prompt back, and answers without it were refused',
    python: `
from pydantic import field_validator as _field_validator


class LLMResultChunk(LLMResultChunk):
    prompt_messages: list[PromptMessage] = Field(default_factory=list)

    @_field_validator("prompt_messages", mode="before")
    @classmethod
    def _no_prompt_messages(cls, _value):
        return []


class LLMResult(LLMResult):
    prompt_messages: list[PromptMessage] = Field(default_factory=list)

    @_field_validator("prompt_messages", mode="before")
    @classmethod
    def _no_prompt_messages(cls, _value):
        return []

    def to_llm_result_chunk(self) -> "LLMResultChunk":
        delta = LLMResultChunkDelta(index=0, message=self.message, usage=self.usage, finish_reason=None)
        return LLMResultChunk(model=self.model, system_fingerprint=self.system_fingerprint, delta=delta)
`,
  },
  {
    before: '0.1.1',
    file: 'core/server/stdio/request_reader.py',
    reason:
      'input was read in pieces of 512 bytes and split anew from its beginning after each: minutes at full load for a large request',
    python: `
def _read_whole_lines(self):
    parts = []
    while True:
        piece = tp_read(sys.stdin.fileno(), 65536)
        if not piece:
            continue
        if b"\\n" not in piece:
            parts.append(piece)
            continue
        parts.append(piece)
        *lines, rest = b"".join(parts).split(b"\\n")
        parts = [rest] if rest else []
        for line in lines:
            try:
                message = loads(line)
                yield PluginInStream(
                    session_id=message["session_id"],
                    event=PluginInStreamEvent.value_of(message["event"]),
                    data=message["data"],
                    reader=self,
                    writer=StdioResponseWriter(),
                )
            except Exception as error:
                StdioResponseWriter().error(data={"error": str(error)})


StdioRequestReader._read_stream = _read_whole_lines
`,
  },
  {
    since: '0.6.0',
    before: '0.10.0',
    file: 'core/trigger_factory.py',
    reason: 'options of a dynamic parameter could not be asked of a plugin without triggers',
    python: `
_event_of_known_provider = TriggerFactory.get_trigger_event_handler_safely


def _event_or_none(self, provider_name, event, runtime):
    if provider_name not in self._providers:
        return None
    return _event_of_known_provider(self, provider_name=provider_name, event=event, runtime=runtime)


TriggerFactory.get_trigger_event_handler_safely = _event_or_none
`,
  },
];
