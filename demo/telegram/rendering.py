"""A message's text and entities as HTML for the chat page."""

from html import escape

from demo.telegram.texts import Entity, FormattedText, cut

TAGS = {
    "bold": ("<strong>", "</strong>"),
    "italic": ("<em>", "</em>"),
    "underline": ("<u>", "</u>"),
    "strikethrough": ("<s>", "</s>"),
    "code": ("<code>", "</code>"),
    "pre": ('<pre tabindex="0"><code>', "</code></pre>"),
    "blockquote": ("<blockquote>", "</blockquote>"),
    "spoiler": ('<span class="spoiler" tabindex="0">', "</span>"),
    "mention": ('<span class="mention">', "</span>"),
}
BLOCKS = {"pre", "blockquote"}


def render(said: FormattedText) -> str:
    """Return safe HTML: everything but our own tags is escaped."""
    return _render(said.text, list(said.entities), 0, said.length)


def _render(text: str, entities: list[Entity], start: int, end: int) -> str:
    parts = []
    here = start
    waiting = list(entities)
    block_before = False
    while waiting:
        entity = waiting.pop(0)
        if entity.offset < here or entity.offset >= end:
            continue
        inner = [other for other in waiting if other.offset < entity.end]
        waiting = waiting[len(inner) :]
        last = min(entity.end, end)
        block = entity.type in BLOCKS
        before, after = _tags(entity, cut(text, entity.offset, last))
        parts.append(_plain(cut(text, here, entity.offset), block_before, block))
        parts.append(before + _render(text, inner, entity.offset, last) + after)
        here, block_before = last, block
    return "".join([*parts, _plain(cut(text, here, end), block_before, False)])


def _plain(text: str, after_block: bool, before_block: bool) -> str:
    """Return escaped text; a block breaks the line itself, so one line end beside it goes."""
    shown = text.removeprefix("\n") if after_block else text
    return escape(shown.removesuffix("\n") if before_block else shown)


def _tags(entity: Entity, shown: str) -> tuple[str, str]:
    if entity.type == "text_link":
        return _anchor(entity.url or ""), "</a>"
    if entity.type == "url":
        return _anchor(shown), "</a>"
    if entity.type == "email":
        return f'<a href="mailto:{escape(shown)}">', "</a>"
    if entity.type == "bot_command":
        # a tap on a command sends it: the button belongs to the text field's form
        return f'<button class="command" form="say" name="command" value="{escape(shown)}">', "</button>"
    return TAGS.get(entity.type, ("", ""))


def _anchor(url: str) -> str:
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">'
