from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.errors import Problems
from domain.languages import Language
from knowledge import evaluation
from knowledge.answers import Answer, Answers, Outcome
from knowledge.evaluation import Question, Tally


def _question(expect: str = "answer", references: tuple[str, ...] = ("A-1",)) -> Question:
    return Question.model_validate(
        {"id": "Q", "language": "en", "question": "?", "expect": expect, "references": references}
    )


def _answer(outcome: Outcome, *references: str) -> Answer:
    return Answer(outcome, Language.ENGLISH, "title", "text", references=references)


def test_every_kind_of_result_is_counted_in_its_own_share() -> None:
    tally = Tally()
    tally.add(_question(), _answer(Outcome.ANSWER, "A-1", "A-9"), [])
    tally.add(_question(), _answer(Outcome.ANSWER, "A-2"), [])
    tally.add(_question(), _answer(Outcome.CLARIFY), ["A-1"])
    tally.add(_question(), _answer(Outcome.CLARIFY), ["A-3"])
    tally.add(_question(), _answer(Outcome.UNKNOWN), [])
    tally.add(_question(references=()), _answer(Outcome.ANSWER, "A-7"), [])
    tally.add(_question("unknown"), _answer(Outcome.CLARIFY), ["A-1"])
    tally.add(_question("decline"), _answer(Outcome.ANSWER, "A-1"), [])
    assert tally.as_dict() == {
        "questions": 8,
        "right": 0.3333,
        "clarified": 0.1667,
        "right_or_clarified": 0.5,
        "wrong": 0.1667,
        "false_unknown": 0.1667,
        "refused": 0.5,
    }


def test_a_file_with_mistakes_names_each_line(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"id": "1", "language": "en", "question": "A?", "expect": "answer"}\n\n'
        "{not json}\n"
        '{"id": "2", "language": "xx", "question": "B?", "expect": "maybe"}\n'
    )
    with pytest.raises(Problems) as caught:
        evaluation.read(file)
    messages = [str(problem) for problem in caught.value.problems]
    assert messages[0].startswith(f"{file}:3: not JSON")
    assert messages[1].startswith(f"{file}:4: `language`")
    assert messages[2].startswith(f"{file}:4: `expect`")


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\xff"])
def test_a_file_without_questions_is_refused(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "questions.jsonl"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Problems, match=r"questions\.jsonl"):
        evaluation.read(file)


async def test_languages_are_measured_apart_and_together(
    answers: Answers, intra: AsyncSession, now: datetime
) -> None:
    questions = [
        Question(
            id="1",
            language=Language.ENGLISH,
            question="Who is the lead partner?",
            expect="answer",
            references=("A-021",),
        ),
        Question(
            id="2", language=Language.ITALIAN, question="Come si cucina la pasta al forno?", expect="unknown"
        ),
    ]
    result = (await evaluation.evaluate(answers, intra, questions, now)).as_dict()
    assert set(result["languages"]) == {"en", "it"}
    assert result["languages"]["en"]["right"] == 1.0  # type: ignore[index]
    assert result["summary"]["questions"] == 2
    assert result["summary"]["refused"] == 1.0
