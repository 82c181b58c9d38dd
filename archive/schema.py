"""The tables of the meeting file, as sqlite-utils migrations.

One meeting is one SQLite file, live and archived the same. Row numbers (``id``) are local to a file;
keys are what is cited. Times are text in UTC, ``YYYY-MM-DDTHH:MM:SS.ffffffZ``, so that they sort.
A migration is never changed once released: add the next one below it.
"""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("backchannel")

#: What is left out when two archives are compared (design.md, "Same archive").
LOG_TABLES = (
    "imports",
    "intake",
    "leases",
    "playback",
    "heartbeats",
    "tag_failures",
    "cursors",
    "looked_back",
    "second_looks",
    "spent",
    "vectors",
    "learning",
    "suggestions",
    "_sqlite_migrations",
)

TABLES = """
CREATE TABLE meeting (
    slug TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    timezone TEXT NOT NULL,
    definition TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE sessions (
    slug TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    kind TEXT NOT NULL,
    track TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE themes (
    slug TEXT PRIMARY KEY,
    position INTEGER NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE authors (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    handle TEXT,
    name TEXT,
    url TEXT,
    description TEXT,
    location TEXT,
    followers INTEGER,
    followers_max INTEGER,
    bot INTEGER,
    observed_at TEXT NOT NULL,
    profile_hash TEXT NOT NULL,
    posts INTEGER NOT NULL DEFAULT 0,
    authored INTEGER NOT NULL DEFAULT 0,
    first_post_at TEXT,
    last_post_at TEXT
);
CREATE INDEX authors_first_post_at ON authors (first_post_at);
CREATE INDEX authors_posts ON authors (posts);

CREATE TABLE posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL,
    platform_id TEXT NOT NULL,
    kind TEXT,
    kind_among TEXT,
    author_id INTEGER NOT NULL REFERENCES authors (id),
    text TEXT NOT NULL,
    language TEXT,
    created_at TEXT NOT NULL,
    received_at TEXT,
    edited_at TEXT,
    observed_at TEXT,
    arm TEXT NOT NULL,
    session TEXT NOT NULL,
    reply_to TEXT,
    reply_to_account TEXT,
    repost_of TEXT,
    repost_account TEXT,
    quote_of TEXT,
    has_link INTEGER NOT NULL,
    url TEXT,
    flags TEXT,
    content_hash TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    tagged_at TEXT,
    tagged_by TEXT,
    language_detected TEXT,
    sentiment TEXT,
    sentiment_score REAL,
    sure INTEGER,
    question INTEGER
);
CREATE INDEX posts_created_at ON posts (created_at);
CREATE INDEX posts_author ON posts (author_id);
CREATE INDEX posts_reply_to ON posts (reply_to) WHERE reply_to IS NOT NULL;
CREATE INDEX posts_repost_of ON posts (repost_of) WHERE repost_of IS NOT NULL;
CREATE INDEX posts_quote_of ON posts (quote_of) WHERE quote_of IS NOT NULL;
CREATE INDEX posts_untagged ON posts (id) WHERE tagged_at IS NULL;
CREATE INDEX posts_questions ON posts (created_at) WHERE question = 1;

CREATE TABLE aliases (
    alias TEXT PRIMARY KEY,
    key TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX aliases_key ON aliases (key);

CREATE TABLE versions (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    content_hash TEXT NOT NULL,
    payload_hash TEXT NOT NULL,
    version_at TEXT NOT NULL,
    observed_at TEXT,
    content TEXT NOT NULL,
    UNIQUE (post_id, content_hash)
);

CREATE TABLE raw (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    hash TEXT NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (post_id, hash)
);

CREATE TABLE post_hashtags (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    hashtag TEXT NOT NULL,
    PRIMARY KEY (post_id, hashtag)
) WITHOUT ROWID;
CREATE INDEX post_hashtags_hashtag ON post_hashtags (hashtag);

CREATE TABLE post_mentions (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    account TEXT NOT NULL,
    PRIMARY KEY (post_id, account)
) WITHOUT ROWID;

CREATE TABLE post_links (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    url TEXT NOT NULL,
    PRIMARY KEY (post_id, url)
) WITHOUT ROWID;

CREATE TABLE post_themes (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    theme TEXT NOT NULL,
    score REAL NOT NULL,
    PRIMARY KEY (post_id, theme)
) WITHOUT ROWID;
CREATE INDEX post_themes_theme ON post_themes (theme);

CREATE TABLE engagement (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    observed_at TEXT,
    likes INTEGER,
    reposts INTEGER,
    replies INTEGER,
    quotes INTEGER,
    impressions INTEGER
);
CREATE UNIQUE INDEX engagement_once ON engagement (
    post_id, ifnull(observed_at, ''), ifnull(likes, -1), ifnull(reposts, -1),
    ifnull(replies, -1), ifnull(quotes, -1), ifnull(impressions, -1)
);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY,
    post_id INTEGER NOT NULL REFERENCES posts (id),
    component TEXT NOT NULL,
    label TEXT NOT NULL,
    score REAL,
    evidence TEXT,
    version TEXT NOT NULL,
    set_by TEXT,
    seen_at TEXT NOT NULL,
    superseded_at TEXT
);
CREATE INDEX tags_post ON tags (post_id);

CREATE TABLE tag_failures (
    post_id INTEGER PRIMARY KEY REFERENCES posts (id),
    attempts INTEGER NOT NULL,
    reason TEXT NOT NULL,
    seen_at TEXT NOT NULL
);

CREATE TABLE tombstones (
    key TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    seen_at TEXT,
    post_seen INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE opt_outs (
    account_hash TEXT PRIMARY KEY,
    seen_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    reason TEXT NOT NULL,
    payload TEXT,
    location TEXT NOT NULL,
    seen_at TEXT NOT NULL
);

CREATE TABLE coverage (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at TEXT NOT NULL,
    ended_at TEXT,
    cause TEXT,
    backfilled TEXT,
    missing_estimate INTEGER,
    UNIQUE (name, started_at, state)
);

CREATE TABLE heartbeats (
    name TEXT PRIMARY KEY,
    source TEXT NOT NULL,
    heard_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE intake (
    source TEXT PRIMARY KEY,
    duplicates INTEGER NOT NULL DEFAULT 0,
    private INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    expires_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE imports (
    file TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    position INTEGER NOT NULL,
    counts TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT
) WITHOUT ROWID;

CREATE TABLE playback (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    position TEXT NOT NULL,
    speed REAL NOT NULL,
    paused INTEGER NOT NULL,
    seen_at TEXT NOT NULL
);

CREATE TABLE rollup_minutes (
    minute TEXT NOT NULL,
    session TEXT NOT NULL,
    theme TEXT NOT NULL,
    sentiment TEXT NOT NULL,
    source TEXT NOT NULL,
    posts INTEGER NOT NULL,
    authored INTEGER NOT NULL,
    PRIMARY KEY (minute, session, theme, sentiment, source)
) WITHOUT ROWID;

CREATE TABLE rollup_totals (
    dimension TEXT NOT NULL,
    value TEXT NOT NULL,
    posts INTEGER NOT NULL,
    authored INTEGER NOT NULL,
    PRIMARY KEY (dimension, value)
) WITHOUT ROWID;

CREATE VIRTUAL TABLE posts_fts USING fts5 (
    text,
    content = 'posts',
    content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2'
);
"""

VIEWS = """
CREATE VIEW posts_readable AS
SELECT p.key, p.source, p.platform_id, p.kind,
    a.key AS author_key, a.handle AS author_handle, a.name AS author_name,
    p.text, p.language, p.language_detected, p.created_at, p.received_at, p.edited_at,
    p.arm, p.session, p.reply_to, p.repost_of, p.quote_of, p.url,
    e.likes, e.reposts, e.replies, e.quotes, e.impressions,
    p.sentiment, p.sentiment_score, p.sure,
    (SELECT group_concat(theme, ' ') FROM (
        SELECT theme FROM post_themes t WHERE t.post_id = p.id ORDER BY theme)) AS themes,
    p.question
FROM posts p
JOIN authors a ON a.id = p.author_id
LEFT JOIN engagement e ON e.id = (
    SELECT id FROM engagement n WHERE n.post_id = p.id
    ORDER BY n.observed_at DESC NULLS LAST, n.likes DESC, n.reposts DESC, n.replies DESC,
        n.quotes DESC, n.impressions DESC
    LIMIT 1);

CREATE VIEW tags_readable AS
SELECT p.key AS post, t.component, t.label, t.score, t.evidence, t.version,
    t.set_by, t.seen_at, t.superseded_at, p.text
FROM tags t JOIN posts p ON p.id = t.post_id;
"""


@migrations()
def m001_initial(db: Database) -> None:
    """Everything that the first release keeps."""
    for statement in _statements(TABLES + VIEWS):
        db.conn.execute(statement)


COLLECTING = """
CREATE TABLE cursors (
    name TEXT PRIMARY KEY,
    cursor TEXT NOT NULL,
    seen_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE looked_back (
    name TEXT PRIMARY KEY,
    since TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE second_looks (
    name TEXT NOT NULL,
    starts TEXT NOT NULL,
    ends TEXT NOT NULL,
    PRIMARY KEY (name, starts, ends)
) WITHOUT ROWID;

CREATE TABLE spent (
    name TEXT PRIMARY KEY,
    posts INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX coverage_name ON coverage (name, started_at);
"""


@migrations()
def m002_collecting(db: Database) -> None:
    """How far each source was read, and what that cost."""
    for statement in _statements(COLLECTING):
        db.conn.execute(statement)


MEANING = """
ALTER TABLE posts ADD COLUMN sentiment_tier TEXT;
ALTER TABLE posts ADD COLUMN logistics INTEGER;
ALTER TABLE posts ADD COLUMN asked INTEGER;
ALTER TABLE posts ADD COLUMN to_chair INTEGER;
ALTER TABLE posts ADD COLUMN themes_by TEXT;
ALTER TABLE tag_failures ADD COLUMN refinements INTEGER NOT NULL DEFAULT 0;
CREATE INDEX posts_themes_by ON posts (themes_by, id) WHERE tagged_at IS NOT NULL;
CREATE INDEX posts_unrefined ON posts (id) WHERE sentiment_tier = 'fast';
CREATE INDEX posts_to_chair ON posts (created_at) WHERE to_chair = 1;
CREATE INDEX posts_logistics ON posts (created_at) WHERE logistics = 1;

CREATE INDEX tags_corrections ON tags (post_id) WHERE set_by IS NOT NULL AND superseded_at IS NULL;

CREATE TABLE vectors (
    post_id INTEGER PRIMARY KEY REFERENCES posts (id),
    encoder TEXT NOT NULL,
    vector BLOB NOT NULL
);

CREATE TABLE post_names (
    post_id INTEGER NOT NULL REFERENCES posts (id),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (post_id, kind, name)
) WITHOUT ROWID;
CREATE INDEX post_names_name ON post_names (name, kind);

CREATE TABLE keywords (
    theme TEXT NOT NULL,
    language TEXT NOT NULL,
    keyword TEXT NOT NULL,
    decision TEXT NOT NULL,
    set_by TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (theme, language, keyword)
) WITHOUT ROWID;

CREATE TABLE suggestions (
    theme TEXT NOT NULL,
    language TEXT NOT NULL,
    keyword TEXT NOT NULL,
    score REAL NOT NULL,
    posts INTEGER NOT NULL,
    authors INTEGER NOT NULL,
    new_posts INTEGER NOT NULL,
    examples TEXT NOT NULL,
    seen_at TEXT NOT NULL,
    PRIMARY KEY (theme, language, keyword)
) WITHOUT ROWID;

CREATE TABLE question_groups (
    post_id INTEGER PRIMARY KEY REFERENCES posts (id),
    representative INTEGER REFERENCES posts (id)
);
CREATE INDEX question_groups_representative ON question_groups (representative);

CREATE TABLE learning (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    changes INTEGER NOT NULL,
    version TEXT NOT NULL,
    corrections INTEGER NOT NULL,
    keywords INTEGER NOT NULL,
    fitted_at TEXT,
    seconds REAL,
    themes_by TEXT
);
INSERT INTO learning VALUES (1, 0, '', 0, 0, NULL, NULL, NULL);

UPDATE posts SET sentiment_tier = 'fast', themes_by = '',
    to_chair = question = 1 AND EXISTS (SELECT 1 FROM post_themes t WHERE t.post_id = posts.id)
    WHERE tagged_at IS NOT NULL;
INSERT INTO question_groups SELECT id, NULL FROM posts WHERE question = 1 AND kind IS NOT 'repost';
INSERT INTO rollup_totals
    SELECT 'to_chair', CAST(to_chair AS TEXT), count(*), sum(kind IS NOT 'repost')
    FROM posts WHERE tagged_at IS NOT NULL GROUP BY 2;
INSERT INTO rollup_totals
    SELECT 'logistics', '0', count(*), sum(kind IS NOT 'repost')
    FROM posts WHERE tagged_at IS NOT NULL HAVING count(*);
"""


@migrations()
def m003_meaning(db: Database) -> None:
    """Vectors, names, corrections that teach, questions put to the chair.

    Posts tagged before are refined and get their themes anew by the next ``tag``.
    """
    for statement in _statements(MEANING):
        db.conn.execute(statement)


def _statements(script: str) -> list[str]:
    # executescript() would commit the migration's own transaction.
    return [statement for part in script.split(";\n") if (statement := part.strip())]
