"""The database's shape, as a chain of Alembic revisions.

0001 and 0002 event kernel (`es`), 0003 and 0005 read models (`app`), 0004 index (`rag`), 0006 accounts (`auth`),
0007 tenants and roles, 0008 credentials of repositories, 0009 and 0012 payload keys and erasure, 0010 audit (`audit`),
0011 and 0027 revocations, 0013 quotas, 0014 names of collections, 0015 webhooks, 0016 who may call which function,
0017 and 0021 erasure of accounts and tenants, 0018 idempotency keys, 0019 sign-in tokens, 0020 invitations and
sharing links, 0022 looks at repositories,
0023 and 0025 accepted questions and their tokens, 0024 smaller steps in the audit trail, 0026 whom invitations are for,
0028 deletion of single conversations and analyses, 0029 issuers of accounts,
0030 dependencies, 0031 the rules that decided on files, 0032 uploads, 0033 the graph (`app`),
0034 nothing is written for who is deleted, 0035 answers are forgotten with what they made,
0036 where the rows of an artifact are (`rag`, `app`), 0037 push hooks,
0038 several generations of a kind, 0039 names of parked messages, 0040 rows of an index that
analyses share, 0041 rows of the read model that they share, 0042 costs of answers, 0043 searches read the graph,
0044 rebuilds, 0045 sandboxes (`sandbox`), 0046 rebuilds of collections (`rag`), 0047 how often files changed (`app`),
0048 earlier answers are found, 0049 answers again, 0050 promoted indexes (`sandbox`),
0051 states of long streams kept beside the log (`es`), 0052 failing rebuilds of collections (`rag`),
0053 generations that a person chose (`rag`), 0054 answers that were given again (`es`),
0055 the beginning and the end of a run by one statement each (`es`),
0056 collections that are written ahead of their generation (`rag`), 0057 costs of embedding (`app`),
0058 lines of syntax errors (`app`), 0059 serving analyses (`app`), 0060 branches of push hooks (`app`),
0061 what a stream was begun by (`es`), 0062 earlier commits (`app`),
0063 tokens that are reserved for questions (`app`).
"""

from migrations.logins import let_sign_in
from migrations.run import UpgradeBlocked, upgrade
from migrations.stored_keys import KeysCannotBeOpened, check_stored_keys

__all__ = ["KeysCannotBeOpened", "UpgradeBlocked", "check_stored_keys", "let_sign_in", "upgrade"]
