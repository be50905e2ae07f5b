"""Letter checks: what a lead would want to know of one letter before anybody gets it."""

import re
from collections.abc import Callable, Iterable, Iterator

from mailer import contrast_checks
from mailer.campaign_files import LONGEST_SUBJECT
from mailer.findings import Code, Finding, Part, error, warning
from mailer.letter_views import Image
from mailer.proofs import Proof

GMAIL_SHOWS = 102_000
"""Octets of HTML, decoded, after which Gmail cuts a letter off."""
GOOD_SUBJECT = 60
"""Characters of a subject that a telephone shows, about."""
FEW_LETTERS = 200
"""Own words of a letter that make too little of it beside an image."""
_SHOUTED_SUBJECT, _SHOUTED_PARAGRAPH = 8, 30
"""Letters from which capitals are no abbreviation any more."""
_MOST_EXCLAMATIONS = 2
_BRACES = re.compile(r"\{[{%][^{}\n]{0,40}(?:[}%]\})?|\{?[^{}\n]{0,40}[}%]\}")

Check = Callable[[Proof], Iterable[Finding]]


def check_subject_length(proof: Proof) -> Iterator[Finding]:
    """Tell when a subject is empty for some readers, or too long to be read in a list."""
    place = proof.place(Part.SUBJECT)
    subjects = [copy.subject.strip() for copy in proof.copies]
    longest = max(len(subject) for subject in subjects)
    if not all(subjects):
        cure = "give it words of its own: {{ subscriber.first_name or 'reader' }}"
        yield error(Code.EMPTY_SUBJECT, place, "it is empty for readers of whom we know little", cure)
    if longest > LONGEST_SUBJECT:
        told = f"it has {longest} characters, more than {LONGEST_SUBJECT}"
        yield error(Code.LONG_SUBJECT, place, told, f"say it in {GOOD_SUBJECT}")
    elif longest > GOOD_SUBJECT:
        told = f"it has {longest} characters; most programs show about {GOOD_SUBJECT}"
        yield warning(Code.LONG_SUBJECT, place, told, "put what matters first, or shorten it")


def check_shouting(proof: Proof) -> Iterator[Finding]:
    """Tell what spam filters, and readers, take for shouting."""
    subject = proof.copies[0].subject
    if any(_shouts(copy.subject, _SHOUTED_SUBJECT) for copy in proof.copies):
        told = "it is written in capitals, which spam filters count against it"
        yield warning(Code.ALL_CAPITALS, proof.place(Part.SUBJECT), told, "write it as a sentence")
    if subject.count("!") > _MOST_EXCLAMATIONS or "!!" in subject:
        told = f"it has {subject.count('!')} exclamation marks, which spam filters count against it"
        yield warning(Code.EXCLAMATION_MARKS, proof.place(Part.SUBJECT), told, "leave one, or none")
    for words in proof.whole.words:
        if words.look.is_own and _shouts(words.text, _SHOUTED_PARAGRAPH):
            told = f"“{_short(words.text)}” is written in capitals"
            cure = "write it as a sentence, and put it in bold where it matters"
            yield warning(Code.ALL_CAPITALS, proof.place(Part.HTML), told, cure)


def check_braces(proof: Proof) -> Iterator[Finding]:
    """Tell when readers see the braces of a field that was not filled in."""
    cure = "a field has two braces on either side: {{ subscriber.first_name }}"
    told = set()
    for copy, view in zip(proof.copies, proof.views, strict=True):
        lines = "\n".join(words.text for words in view.words)
        seen = {Part.SUBJECT: copy.subject, Part.PREHEADER: proof.preheader, Part.HTML: lines}
        for part, text in (seen | {Part.TEXT: copy.text}).items():
            for found in _BRACES.findall(text):
                if found.strip() not in told:
                    told.add(found.strip())
                    message = f"readers see the braces of “{found.strip()}”"
                    yield error(Code.BRACES_LEFT, proof.place(part), message, cure)


def check_ways_out(proof: Proof) -> Iterator[Finding]:
    """See that both parts lead out of the list (Directive 2002/58/EC, Article 13) and to the preferences."""
    ways = {"unsubscribe_url": Code.NO_UNSUBSCRIBE_LINK, "preferences_url": Code.NO_PREFERENCES_LINK}
    for field, code in ways.items():
        target = proof.links[field]
        in_html = all(target in {link.target for link in view.links} for view in proof.views)
        in_text = all(target in copy.text for copy in proof.copies)
        for part, is_there in ((Part.HTML, in_html), (Part.TEXT, in_text)):
            if not is_there:
                told = f"it has no link {{{{ {field} }}}}"
                yield error(code, proof.place(part), told, "put it back into the letter's template")


def check_funding(proof: Proof) -> Iterator[Finding]:
    """See that both parts name who pays (Regulation (EU) 2021/1060, Articles 47 and 50)."""
    statements = proof.funding_statements
    statement = statements.get(proof.language) or statements.get("en", "")
    if not statement:
        cure = f"write funding_statement.{proof.language} in the pack's project.toml and import it"
        told = "the project pack has no funding statement"
        yield warning(Code.NO_FUNDING_STATEMENT, proof.place(Part.LETTER), told, cure)
        return
    if not statements.get(proof.language):
        cure = f"write funding_statement.{proof.language} in the pack's project.toml and import it"
        told = "the funding statement stands there in English: the pack has it in no other"
        yield warning(Code.NO_FUNDING_STATEMENT, proof.place(Part.LETTER), told, cure)
    for part in _parts_without(proof, statement):
        told = "it does not show the funding statement"
        cure = "put {{ project.funding_statement }} back into the letter's template"
        yield error(Code.NO_FUNDING_STATEMENT, proof.place(part), told, cure)


def check_postal_address(proof: Proof) -> Iterator[Finding]:
    """See that both parts say where we are (Directive 2000/31/EC, Article 5)."""
    for part in _parts_without(proof, proof.postal_address):
        cure = "put {{ postal_address }} back into the letter's template"
        yield error(Code.NO_POSTAL_ADDRESS, proof.place(part), "it does not show the postal address", cure)


def check_size(proof: Proof) -> Iterator[Finding]:
    """Tell when Gmail would cut the letter off. What counts is the HTML alone, as it is decoded."""
    size = max(len(copy.html.encode()) for copy in proof.copies)
    if size > GMAIL_SHOWS:
        told = (
            f"its HTML has {size // 1000} KB (the message {proof.sent_size // 1000} KB as sent); Gmail hides "
            f"what comes after {GMAIL_SHOWS // 1000} KB, also the link to unsubscribe"
        )
        yield warning(Code.TOO_LARGE, proof.place(Part.HTML), told, "shorten it and link to the full text")


def check_alt_texts(proof: Proof) -> Iterator[Finding]:
    """See that images speak to those who do not see them (WCAG 2.1, 1.1.1 and 2.4.4)."""
    place, cure = proof.place(Part.HTML), "say what it shows: ![words](address)"
    nameless = [link for link in proof.whole.links if link.images and not link.name]
    for link in nameless:
        told = f"the image {_file(link.images[0])} is all of a link and says nothing: nobody knows where to"
        yield error(Code.MISSING_ALT_TEXT, place, told, "say where it leads: [![words](image)](address)")
    for image in proof.whole.images:
        if image.alt is None:
            told = f"the image {_file(image)} has no alt text: its file name is read out"
            yield error(Code.MISSING_ALT_TEXT, place, told, cure)
        elif image.is_silent and not image.is_in_link:
            told = f"the image {_file(image)} says nothing to those who do not see it"
            yield warning(Code.MISSING_ALT_TEXT, place, told, f"{cure}; leave it for mere decoration")


def check_images_only(proof: Proof) -> Iterator[Finding]:
    """Tell when there is little but images: such a letter looks like spam, and empty where they are off."""
    letters = min(len(view.own_text) for view in proof.views)
    if proof.whole.images and letters < FEW_LETTERS:
        told = f"it has {len(proof.whole.images)} images and {letters} characters of text"
        cure = "say in words what matters: many programs show no images, and spam filters distrust this"
        yield warning(Code.IMAGES_ONLY, proof.place(Part.HTML), told, cure)


CHECKS: tuple[Check, ...] = (
    check_subject_length,
    check_shouting,
    check_braces,
    check_ways_out,
    check_funding,
    check_postal_address,
    check_size,
    check_alt_texts,
    contrast_checks.check_contrast,
    check_images_only,
)


def _parts_without(proof: Proof, wanted: str) -> list[Part]:
    sought = _on_one_line(wanted)
    in_html = all(sought in view.text for view in proof.views)
    in_text = all(sought in _on_one_line(copy.text) for copy in proof.copies)
    return [part for part, is_there in ((Part.HTML, in_html), (Part.TEXT, in_text)) if not is_there]


def _on_one_line(text: str) -> str:
    return " ".join(text.split())


def _shouts(text: str, least: int) -> bool:
    return text.isupper() and sum(character.isalpha() for character in text) >= least


def _file(image: Image) -> str:
    return image.source.rstrip("/").rpartition("/")[2] or image.source


def _short(text: str) -> str:
    return text if len(text) <= GOOD_SUBJECT else f"{text[: GOOD_SUBJECT - 1].rstrip()}…"
