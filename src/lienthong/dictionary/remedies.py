"""What to do about each rule that a file of the dictionary can break (cách sửa lỗi của tệp từ điển)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REMEDIES: Final[Mapping[str, str]] = {
    # characters and shape of a file
    "unreadable": "give the account that runs the platform the right to read it; only plain files stand here",
    "not-utf-8": "save the file as UTF-8; old encodings: lienthong standardise",
    "byte-order-mark": "save the file as UTF-8 without a byte order mark",
    "line-end": "save the file with LF line ends: sed -i 's/\\r$//' FILE",
    "not-nfc": "write the line in composed letters (NFC): uconv -x any-nfc, or type the word again",
    "too-large": "divide it; the limit is in the message",
    "not-yaml": "correct the line; the message says what the parser expected there",
    "not-a-mapping": "write the file as lines of `key: value`",
    "alias": "write the value out where it is meant; anchors (&) and aliases (*) hide what is meant",
    "too-deep": "take levels out; no item needs so many",
    "key-not-text": "write the key as a word; the keys are in dictionary/README.md",
    "duplicate-key": "keep one of the two lines",
    "unsorted-keys": "put the keys in alphabetical order, so that a change shows as one line",
    "ambiguous-scalar": "put the value in single quotes, as in '050'",
    "file-name": "name the file after what it holds: <id>.yaml, beside it <id>.csv, <id>.aliases.csv and so on",
    # one key
    "unknown-key": "correct the spelling or take the key out; the keys are in dictionary/README.md",
    "missing-key": "add the key; what has no source is written: chưa xác định",
    "wrong-type": "write the value as the message says",
    "blank-text": "give a text without blanks around it, or take the line out",
    "negative": "give a whole number of at least 0",
    "unknown-value": "take one of the values in the message",
    "duplicate-value": "keep one of the two",
    "not-a-day": "write a day of the calendar as YYYY-MM-DD",
    "empty-period": "let the period end later than it begins; the end is the first day on which it no longer holds",
    "bound": "give a limit that fits the datatype; a day is YYYY-MM-DD or today",
    "pattern": "keep to what every engine reads alike: ^…$, classes, groups, {from,to}; dictionary/README.md",
    "precision": "give precision and scale to decimals and to nothing else",
    "no-limit": "give max_length: the longest value in characters",
    "empty-range": "let max_length be at least 1 and at least min_length",
    "unknown-check-digit": "take one of the algorithms in the message",
    "unknown-kernel": "take one of the standardisers in the message",
    "kernel-datatype": "give the datatype that the standardiser gives, or take another standardiser",
    "tone-style": "take tone_style out, or name a standardiser that places tone marks",
    "code-without-list": "name the code list of the domain, or a pattern where no list has a source",
    "list-without-code": "make the datatype code or codes, or take code_list out",
    "technical-name": "give a name of ASCII letters, digits and single underscores that is no word of SQL",
    "not-a-concept": "write object.property in ASCII words, as in con-nguoi.ho-ten",
    "not-an-id": "write ids as others of the kind: HoVaTen for elements, vd-ho-ten for everything else",
    "not-a-version": "write three numbers: 1.0.0",
    "reference-without-version": "name the version too: vd-ho-ten@1.0.0",
    "superseded-without-successor": "name superseded_by and valid_to, or set another status",
    "successor-without-status": "set status superseded, or take superseded_by out",
    "key-not-required": "make the member required: true; a key cannot be absent",
    # between items
    "duplicate-id": "give one of the two another id, or remove the file that is not meant",
    "no-source": "say where it comes from; if we decided it, the document is Liên Thông and the trust own",
    "unknown-reference": "correct the name, or add what it names: lienthong dictionary list",
    "unknown-version": "name the version that is here, after looking at what changed: lienthong dictionary diff",
    "succession-circle": "let the last of them have no successor: one of the items must stand",
    "definition-is-name": "say what it is in a sentence that does not only repeat its name",
    "same-element": "name another property, point to another value domain, or use the element that is there",
    "same-definition": "say in what the two differ; if in nothing, one of them is superseded by the other",
    "duplicate-technical-name": "give one of the two elements another technical name",
    "no-key": "mark the member that identifies a record: key: true, required: true",
    "record-date": "name a member whose domain is a whole date",
    # tables of codes
    "csv-header": "write exactly these columns in this order",
    "csv-row": "correct the row: a text with a comma or a quote stands in double quotes",
    "no-codes": "put the codes in the CSV file beside the list's YAML file",
    "overlapping-periods": "end the earlier period (valid_to) on the day the later one begins",
    "unknown-code": "correct the code, or add it to the list first; zeros in front belong to it",
    "alias-is-code": "take the spelling out: it is a code and means itself",
    "contradiction": "decide which of the two lines is right and remove the other",
    "parent-circle": "let the topmost code have no parent",
    # tables between code lists
    "undecided": "name the other code, or write none without one; and give the source of the decision",
    "same-list": "name two different lists; how codes of one list follow each other stands in <list>.conversion.csv",
    "mapping-circle": "turn one of the lines round: a code cannot be broader than what is broader than it",
    # declared rules
    "too-many": "join rules that say the same of several elements: one rule may name a pattern of elements",
    "rule-shape": "compare with a rule of the same kind in the folder, and docs/reference/rules/README.md",
    "no-example": "add a row that passes and one that fails: they are run with every check of the dictionary",
    "matches-nothing": "name elements that a dataset has: lienthong dictionary list --dataset NAME",
    "rule-text": "write the predicate as the rule language allows: docs/reference/rules/README.md",
    "rule-contradiction": "correct or withdraw one of the two rules",
    "rule-says-nothing": "write what the rule is to find, with examples of rows that pass and fail",
}


def remedy(rule: str) -> str:
    """Return what to do about a rule that was broken."""
    return REMEDIES.get(rule, "see docs/reference/errors/DIC-001.md")
