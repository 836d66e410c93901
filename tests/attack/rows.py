"""What is tried against a hub: every side channel and every attack on tokens, one row each.

What lives here: the rows. What does not: the tests that try them, which name their rows with
``@pytest.mark.attack("S-01")``, and the report (``tests.attack.__main__``).

``S`` are side channels: a stranger compares a hub with a hidden person and the same hub without. ``T`` are attacks on
tokens and on what guards them. ``E`` are the exits: everything by which something leaves.

Source: ``consent.md`` 3.3 and 7.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is tried, and what it would give an attacker."""

    id: str
    tried: str


ROWS: tuple[Row, ...] = (
    Row("S-01", "Tell a hidden record from one that never was by the status of a read"),
    Row("S-02", "Learn from 410 that something was there once"),
    Row("S-03", "Learn from ETag, Last-Modified or 304 that something is there, or changed"),
    Row("S-04", "Tell 412, 409 and 404 apart with If-Match on a hidden record"),
    Row("S-05", "Count hidden edits by gaps in version ids"),
    Row("S-06", "Read earlier, wider or hidden versions by any form of _history"),
    Row("S-07", "Count the hidden by total, _summary=count or _total"),
    Row("S-08", "Find the hidden by short pages, next links, cursors or _count"),
    Row("S-09", "Pull in the hidden with _include, _revinclude or :iterate"),
    Row("S-10", "Ask about a hidden element through a chain"),
    Row("S-11", "Search for hidden values backwards with _has"),
    Row("S-12", "Invert or part a test: :not, :missing, :contains, _filter, _text, _content, _query"),
    Row("S-13", "Guess an element that a visible record hides by searching for it"),
    Row("S-14", "Sort by a hidden element and read its order"),
    Row("S-15", "Drop what hides an element with _elements or _summary"),
    Row("S-16", "Search by label, tag, profile or source"),
    Row("S-17", "Tell existence by conditional create, update, patch or delete"),
    Row("S-18", "Learn from a duplicate identifier that a person is known"),
    Row("S-19", "Learn from a refused reference that its target exists"),
    Row("S-20", "Follow a reference from a visible record to a hidden one"),
    Row("S-21", "Read names and places in display, text, note or description"),
    Row("S-22", "Read the unredacted copy in narrative, contained, documents or their metadata"),
    Row("S-23", "Read the members of a Bundle, Group, CareTeam, Composition or CarePlan"),
    Row("S-24", "Go round the filter with an operation"),
    Row("S-25", "Learn from the failure of one entry of a batch or transaction about another"),
    Row("S-26", "Count events about the hidden in Subscriptions, their numbers, heartbeats or timing"),
    Row("S-27", "Find hidden references through AuditEvent, Provenance or Communication"),
    Row("S-28", "See that she went elsewhere too: owner, basedOn, partOf, groupIdentifier, siblings"),
    Row("S-29", "Read number and order from ids and times"),
    Row("S-30", "Find a shelter in the directory"),
    Row("S-31", "Learn the inside from capability statements, error texts or traces"),
    Row("S-32", "Tell the hidden by the time an answer takes"),
    Row("S-33", "Tell the hidden by the size of an answer, or by compressing guesses with it"),
    Row("S-34", "Tell the hidden by limits that count rows"),
    Row("S-35", "Read identifiers in logs, addresses or Referer"),
    Row("S-36", "Learn the state of a consent from the texts of token errors and introspection"),
    Row("S-37", "Search for consents and refusals themselves"),
    Row("S-38", "Tell a withdrawal from an ending, or either from never"),
    Row("S-39", "Join pseudonyms by links between patients"),
    Row("S-40", "Spell a reference otherwise and pass the filter"),
    Row("S-41", "Read from a message, its sender or subject what it is about"),
    Row("S-42", "Find a person in small numbers of statistics"),
    Row("S-43", "Find what was withdrawn in the index, the queue, caches or backups"),
    Row("S-44", "Link requests by X-Request-Id, Date, Server-Timing or trace headers"),
    Row("T-01", "Use a client assertion twice"),
    Row("T-02", "Use a client assertion that lives a day"),
    Row("T-03", "Sign an assertion with RS256"),
    Row("T-04", "Send an unsigned assertion (alg none)"),
    Row("T-05", "Name the key of another client"),
    Row("T-06", "Send the assertion of one client as another"),
    Row("T-07", "Send an assertion meant for another server"),
    Row("T-08", "Send a DPoP-bound token as plain Bearer"),
    Row("T-09", "Send a DPoP proof made for another method or address"),
    Row("T-10", "Send an old DPoP proof"),
    Row("T-11", "Send a DPoP proof twice"),
    Row("T-12", "Send a DPoP proof made for another token"),
    Row("T-13", "Ask for scopes with letters out of order"),
    Row("T-14", "Ask for everything with system/*.cruds"),
    Row("T-15", "Bind a token to the grant of another client"),
    Row("T-16", "Bind a token to more than the consent gives"),
    Row("T-17", "Use a token after the withdrawal"),
    Row("T-18", "Exchange a code after the withdrawal"),
    Row("T-19", "Follow a page link after the withdrawal"),
    Row("T-20", "Gain rights with an old token when the consent widens"),
    Row("T-21", "Leave out or change the purpose"),
    Row("T-22", "Act without a role"),
    Row("T-23", "Read as a government office that she refuses"),
    Row("T-24", "Open location or contact data as an emergency"),
    Row("T-25", "Compare every address with a hidden id, and with an id that never was"),
    Row("T-26", "PUT to an id that is not there"),
    Row("T-27", "Test existence with If-None-Exist"),
    Row("T-28", "Include the place of a shelter"),
    Row("T-29", "Use GraphQL or an operation that is off"),
    Row("T-30", "Write an absolute reference to a server of one's own"),
    Row("T-31", "Get more by POST _search than by GET, or less guarded"),
    Row("T-32", "Read the history of a hidden record"),
    Row("T-33", "Redirect a code to another address, or to a part of a registered one"),
    Row("T-34", "Use a code twice, or that of another client"),
    Row("T-35", "Exchange a code without the verifier, or with a plain challenge"),
    Row("T-36", "Use a refresh token twice"),
    Row("T-37", "Approve in the name of somebody with a form from another site"),
    Row("T-38", "Go on with a session, token or code of an account that was removed"),
    Row("T-39", "Lock somebody out by signing in wrongly in her name"),
    Row("T-40", "Tell a login that exists from one that does not"),
    Row("E-01", "Read, vread"),
    Row("E-02", "Search, with includes and chains"),
    Row("E-03", "History of an instance, a type, the system"),
    Row("E-04", "$everything"),
    Row("E-05", "Bulk export: files and status"),
    Row("E-06", "Subscriptions: notifications, $status, $events"),
    Row("E-07", "Delivery to a partner's own server"),
    Row("E-08", "$disclosures and AuditEvent"),
    Row("E-09", "$preview, $available-actions, $validate"),
    Row("E-10", "Answers to writes, conditional ones and Bundles"),
    Row("E-11", "Recall notices and letters"),
    Row("E-12", "Error answers"),
)
"""Every row, once."""
