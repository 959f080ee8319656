import csv
import io
import re
from collections import Counter
from collections.abc import Generator
from typing import Any

from dify_plugin import Tool
from dify_plugin.entities.tool import ToolInvokeMessage

WORDS_PER_MINUTE = 220
WORD = re.compile(r"\w+(?:['’]\w+)*")
SENTENCE_END = re.compile(r"[.!?。！？]+")


class ReportTool(Tool):
    """Answers in every form a caller may want: streamed text, JSON, workflow variables and a CSV file."""

    def _invoke(self, tool_parameters: dict[str, Any]) -> Generator[ToolInvokeMessage, None, None]:
        text = str(tool_parameters.get("text") or "")
        if not text.strip():
            raise ValueError("there is no text to report on: fill in the parameter 'text'")
        top = max(1, int(tool_parameters.get("top") or 5))

        words = [word.lower() for word in WORD.findall(text)]
        sentences = [part for part in SENTENCE_END.split(text) if part.strip()]
        seconds = round(len(words) / WORDS_PER_MINUTE * 60)
        frequent = Counter(words).most_common(top)

        yield self.create_text_message(f"{len(words)} words in {len(sentences)} sentences.\n")
        yield self.create_text_message(f"About {seconds} seconds to read.\n")
        yield self.create_text_message("Frequent words:\n")
        for word, count in frequent:
            yield self.create_text_message(f"  {word}: {count}\n")

        yield self.create_json_message({
            "words": len(words),
            "sentences": len(sentences),
            "characters": len(text),
            "reading_seconds": seconds,
            "frequent": [{"word": word, "count": count} for word, count in frequent],
        })
        yield self.create_variable_message("words", len(words))
        yield self.create_variable_message("reading_seconds", seconds)

        table = io.StringIO()
        writer = csv.writer(table)
        writer.writerow(["word", "count"])
        writer.writerows(frequent)
        yield self.create_blob_message(
            table.getvalue().encode(), meta={"mime_type": "text/csv", "filename": "words.csv"}
        )
