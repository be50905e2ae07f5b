"""What Telegram finds in plain text by itself: addresses, commands, mentions."""

import re

from demo.telegram.texts import Entity, FormattedText, length_of

PATTERNS = {
    "url": re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]»”]", re.IGNORECASE),
    "email": re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "bot_command": re.compile(r"(?<![\w/<])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])"),
    "mention": re.compile(r"(?<![\w@])@[A-Za-z0-9_]{3,32}\b(?!\.\w)"),
}
# inside these, text is taken as it stands
OPAQUE = {"code", "pre", "text_link", "url", "email", "bot_command"}


def detect(message: FormattedText) -> FormattedText:
    """Return the text with the entities a Telegram server adds to it."""
    entities = list(message.entities)
    for kind, pattern in PATTERNS.items():
        for match in pattern.finditer(message.text):
            candidate = Entity(kind, length_of(message.text[: match.start()]), length_of(match.group()))
            if not _covered(candidate, entities):
                entities.append(candidate)
    ordered = sorted(entities, key=lambda entity: (entity.offset, -entity.length))
    return FormattedText(message.text, tuple(ordered))


def _covered(candidate: Entity, entities: list[Entity]) -> bool:
    return any(
        entity.type in OPAQUE and entity.offset < candidate.end and candidate.offset < entity.end
        for entity in entities
    )
