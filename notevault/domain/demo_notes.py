"""Made-up clients and notes for the demo. Nobody in here exists; any likeness is chance."""

from __future__ import annotations

from datetime import date

CLIENTS: tuple[tuple[str, str, date | None, str], ...] = (
    ("C-007", "Anders Ek", date(1971, 3, 2), "Referred by his general practitioner. Prefers mornings."),
    ("C-014", "Anna Berg", date(1998, 9, 14), "Student; term ends in January."),
    ("C-021", "Mirjam Okafor", date(1985, 6, 30), ""),
    ("C-031", "Jon Lind", date(1990, 12, 5), "Couple sessions with his partner are planned for spring."),
    ("C-040", "Anna Berg", date(1962, 1, 25), "Not the student: a namesake. Widowed two years ago."),
)
"""(code, name, born, remark)"""


def _soap(told: str, seen: str, judged: str, following: str) -> str:
    return f"Subjective\n{told}\n\nObjective\n{seen}\n\nAssessment\n{judged}\n\nPlan\n{following}\n"


def _dap(happened: str, judged: str, following: str) -> str:
    return f"Data\n{happened}\n\nAssessment\n{judged}\n\nPlan\n{following}\n"


NOTES: tuple[tuple[str, int, int, str, bool, str], ...] = (
    (
        "C-014",
        21,
        9 * 60,
        "SOAP",
        True,
        _soap(
            "First session. Describes exam nerves since the spring: a racing heart, blank mind, leaving the room early."
            " Sleeps five to six hours. No thoughts of self-harm.",
            "Friendly, speaks fast, well oriented. Hands restless when exams come up.",
            "Performance anxiety with avoidance. Good insight, strong wish to finish her degree.",
            "Weekly sessions. Keep a short diary: situation, thought, feeling, what she did.",
        ),
    ),
    (
        "C-014",
        14,
        9 * 60,
        "SOAP",
        True,
        _soap(
            "Kept the diary on four days. The worst hour is the evening before: she rereads everything and then"
            " cannot sleep.",
            "Calmer than last week. Laughed when reading her own entries aloud.",
            "Catastrophizing ('if I fail this one, everything was for nothing') is now visible to herself.",
            "Worry time of fifteen minutes at 18:00. Books closed at 20:00.",
        ),
    ),
    (
        "C-014",
        7,
        9 * 60,
        "SOAP",
        False,
        _soap(
            "Slept seven hours on three nights. Sat the mock exam to the end for the first time.",
            "Upright, rested. Proud, and a little suspicious of it.",
            "Exposure works; the gain is fragile while the real date comes nearer.",
            "Write down what she would tell a friend. Plan the exam day hour by hour.",
        ),
    ),
    (
        "C-007",
        16,
        8 * 60 + 15,
        "DAP",
        True,
        _dap(
            "Low mood for eight months after the plant closed. Wakes at four. Has stopped singing in the choir.",
            "Moderate depressive episode, first one. No suicidal intent; asked directly and answered calmly.",
            "One pleasant activity a day, however small. Talk to his doctor about the early waking.",
        ),
    ),
    (
        "C-007",
        2,
        8 * 60 + 15,
        "DAP",
        False,
        _dap(
            "Walked to the harbour on five mornings. Went to the choir once, 'stood at the back and hummed'.",
            "Activation is beginning to carry. Still believes that rest has to be earned.",
            "Choir again on Thursday. Look at the sentence 'a man who does not work is nothing'.",
        ),
    ),
    (
        "C-021",
        12,
        13 * 60,
        "BIRP",
        True,
        "Behaviour\nAvoids lifts and underground stations since being stuck between two floors in June.\n\n"
        "Intervention\nExplained what panic does and why it ends by itself. Built a ladder of ten steps.\n\n"
        "Response\nRated the first step 30 of 100; stood in front of the lift in our house for six minutes,"
        " down to 10.\n\n"
        "Plan\nStep two twice this week: door open, nobody rides. She writes the number down before and after.\n",
    ),
    (
        "C-021",
        5,
        13 * 60,
        "BIRP",
        False,
        "Behaviour\nRode one floor with her brother, twice. Cancelled a dinner on a ninth floor.\n\n"
        "Intervention\nLooked at the cancelled dinner without blame; rehearsed the first two minutes in the lift.\n\n"
        "Response\nCried briefly, then wanted to try at once. One floor alone in our house.\n\n"
        "Plan\nThree floors alone before next week.\n",
    ),
    (
        "C-031",
        19,
        16 * 60,
        "free",
        True,
        "Came because his partner asked him to. Quarrels follow one pattern: she asks, he goes silent, she asks louder,"
        " he leaves the flat. He says he has no words then, 'as if somebody had pulled the plug'. His father"
        " went silent"
        " for weeks. He noticed the likeness himself and did not like it. Agreed on six sessions.",
    ),
    (
        "C-031",
        6,
        16 * 60,
        "free",
        False,
        "Tried the sentence we had found ('give me ten minutes, I will come back') and did come back, after twenty."
        " She thanked him; he was surprised how much that mattered. Practised noticing the moment before the silence:"
        " heat in the neck, looking at the door. To do: tell her about that sign.",
    ),
    (
        "C-040",
        9,
        10 * 60 + 30,
        "free",
        True,
        "Second anniversary of her husband's death. Set the table for two that morning, then sat down in his place."
        " Grief moves; it no longer stands still. Sleeps well, eats with her sister on Sundays. She wonders"
        " aloud whether"
        " she still needs to come. We agreed to meet once a month.",
    ),
    (
        "C-040",
        1,
        10 * 60 + 30,
        "free",
        False,
        "Joined the Tuesday walking group. Gave his coats away except for one. Tired but clear."
        " Next appointment in four weeks; she calls before if the nights get long.",
    ),
    (
        "C-007",
        0,
        8 * 60 + 15,
        "DAP",
        False,
        _dap(
            "Sang in the choir, second row. Slept until half past five. Asked whether 'useful' and 'good' are"
            " one word.",
            "Mood clearly better; the question about worth is now in the open.",
            "",
        ),
    ),
)
"""(code, days ago, minute of the day, template, signed, text)"""
