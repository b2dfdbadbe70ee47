"""What the governance of the dictionary refuses, and who can act (quản trị từ điển)."""

from __future__ import annotations

from lienthong.errors import Actor, LienthongError


class TransitionRefused(LienthongError, code="DIC-030", actor=Actor.STEWARD):
    """The life of a term has an order: proposed, reviewed, consulted on, approved."""

    message = "{subject} is {before}, so it cannot become {after}: {reason}"
    hint = "see what was decided so far: lienthong dictionary history {item}"


class ProposerDecides(LienthongError, code="DIC-031", actor=Actor.STEWARD):
    """Whoever proposes may not decide."""

    message = "{subject} was proposed by the same person who would {act} it"
    hint = "another person has to {act} it; see who did what: lienthong dictionary history {item}"


class DecisionIncomplete(LienthongError, code="DIC-032", actor=Actor.STEWARD):
    """A decision lacks what makes it one: reason, number, day, successor."""

    message = "to {act} {subject} one must give {missing}"
    hint = "give {missing}; the command's --help shows an example"


class ApprovedChanged(LienthongError, code="DIC-033", actor=Actor.STEWARD):
    """An approved version would change, or has been changed outside the procedure."""

    message = "{subject} is approved and its bytes are not those that were approved: {where}"
    hint = "an approved version never changes: bring the file back from git, or propose a greater version"


class DraftOpen(LienthongError, code="DIC-034", actor=Actor.STEWARD):
    """An item has one open draft at a time."""

    message = "{item} has an open draft already: {subject} in task {task}"
    hint = "finish that task or reject it with a reason: lienthong dictionary drafts"


class VersionTooLow(LienthongError, code="DIC-035", actor=Actor.STEWARD):
    """The version does not say how much has changed."""

    message = "{subject}: the version must be at least {needed}, since {reason}"
    hint = "write version {needed} or greater in the file and propose it again"


class SuccessorRefused(LienthongError, code="DIC-036", actor=Actor.STEWARD):
    """A superseded item needs a successor that stands, and no circle."""

    message = "{successor} cannot succeed {subject}: {reason}"
    hint = "name an approved item that is not itself superseded or retired"


class NothingIsDeleted(LienthongError, code="DIC-037", actor=Actor.STEWARD):
    """A proposal would make something disappear; things are ended or retired, never deleted."""

    message = "the proposal of {item} would lose {what}"
    hint = "keep it in the file: end a code with valid_to, retire an item, keep what other sources say"


class RestsOnDraft(LienthongError, code="DIC-038", actor=Actor.STEWARD):
    """What is approved may rest only on what is approved."""

    message = "{item} rests on {others}, which nobody has approved"
    hint = "approve them first, or propose them together: lienthong dictionary propose --with-related"


class StillInUse(LienthongError, code="DIC-039", actor=Actor.STEWARD):
    """An item that others rest on cannot be retired."""

    message = "{item} cannot be retired: {others} still rest on it"
    hint = "propose new versions of those that no longer need it, or supersede it"


class TaskUnknown(LienthongError, code="DIC-040", actor=Actor.STEWARD):
    """No review task or item is known by this name."""

    message = "there is no {what} {wanted}"
    hint = "open tasks: lienthong dictionary drafts"


class LedgerBroken(LienthongError, code="DIC-041", actor=Actor.OPERATOR):
    """The register of decisions has been tampered with: an event does not follow from the one before."""

    message = "decision {number} of the dictionary's register does not follow from the one before it"
    hint = "stop approving; compare the table lienthong.dictionary_event with the last backup"


class FolderNotOurs(LienthongError, code="DIC-042", actor=Actor.OPERATOR):
    """Approved items and releases need a dictionary folder of one's own, and the right to write there."""

    message = "the dictionary cannot be written: {reason}"
    hint = "give the git working folder of your dictionary with --folder, or the setting dictionary"


class NothingProposed(LienthongError, code="DIC-043", actor=Actor.STEWARD):
    """The files given hold nothing that could be proposed."""

    message = "{path} cannot be proposed: {reason}"
    hint = "give YAML files of items, a CSV file of codes, or a folder of them; docs/how-to/propose-a-term.md"


class ReleaseRefused(LienthongError, code="DIC-044", actor=Actor.STEWARD):
    """A release would say something that is not so."""

    message = "version {version} cannot be released: {reason}"
    hint = "{remedy}"


class ReleaseNotTrue(LienthongError, code="DIC-045", actor=Actor.OPERATOR):
    """A release does not match its signature, its chain or the files; the fact ``problems`` holds all of them."""

    message = "release {version} is not what was signed: {count} problem(s); first: {first}"
    hint = "do not use these files; fetch the release again from where it was published"


class DictionaryNotTrusted(LienthongError, code="DIC-061", actor=Actor.OPERATOR):
    """A key is configured, and the dictionary's newest release is not what its owner signed; nothing starts."""

    message = "the dictionary in {folder} is not one that key {key} signed: {reason}"
    hint = (
        "fetch the release and its files again from who publishes it, or correct the setting dictionary_key; "
        "see every fault: lienthong dictionary verify VERSION --public-key KEY --folder {folder}"
    )


class SigningKeyRefused(LienthongError, code="DIC-046", actor=Actor.OPERATOR):
    """A key file cannot be used to sign or to verify."""

    message = "key file {path} cannot be used: {reason}"
    hint = "releases are signed with an EC key on P-256 in a PEM file that only its owner can read (mode 0600)"


class RegisterUnreachable(LienthongError, code="DIC-047", actor=Actor.OPERATOR):
    """The database that keeps drafts and decisions does not answer."""

    message = "the register of dictionary decisions does not answer (SQLSTATE {sqlstate})"
    hint = "check that the centre's database runs; nothing was decided"
    transient = True


class RegisterFault(LienthongError, code="DIC-048", actor=Actor.OPERATOR):
    """The database refused a statement of the register."""

    message = "the register of dictionary decisions refused a statement (SQLSTATE {sqlstate})"
    hint = "its tables or rights are missing or were changed; the role of [centre.writer] must own them"


class ReleaseUnknown(LienthongError, code="DIC-049", actor=Actor.STEWARD):
    """What was named is neither a release nor a folder of a dictionary."""

    message = "{wanted} is neither a release nor a folder with a dictionary"
    hint = "give a version in {folder}/releases, a release file, or a folder; for a git revision: git worktree add"


class ChangedMeanwhile(LienthongError, code="DIC-029", actor=Actor.STEWARD):
    """The file that a proposal was compared with is no longer the one in the folder."""

    message = "{item} changed in the folder since it was proposed"
    hint = "reject the task with this reason and propose again on what the folder holds now"


class ProposalNotValid(LienthongError, code="DIC-028", actor=Actor.STEWARD):
    """The dictionary would not be valid with what is proposed; the fact ``problems`` holds all of it."""

    message = "{path} cannot be taken in, {count} problem(s): {listed}"
    hint = "correct the files; what must change together goes together: lienthong dictionary propose --with-related"
