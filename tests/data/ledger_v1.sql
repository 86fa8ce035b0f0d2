BEGIN TRANSACTION;
CREATE TABLE anchor (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  books TEXT NOT NULL
) STRICT;
INSERT INTO "anchor" VALUES(1,4,X'D1DC1F73D8940C48E068BC356ECFE92E8FE21BA659C9A41A749937CA7CA8D4A9','{"calendar":"{\"zone\":\"Asia/Ho_Chi_Minh\",\"hours\":[[\"07:30:00\",\"11:30:00\"],[\"13:30:00\",\"17:00:00\"]],\"weekdays\":[0,1,2,3,4],\"holidays\":[],\"extra_workdays\":[]}","links":[["xa-tan-hoi-dong","main",{"state":"down","health":"down","since_us":1792000001000000,"us":[0,1000000,0,0,0,0,0,0,0,0,0,0,0,0],"outages":[0,0,0,0,0],"open_us":1792000001000000,"open_cause":null,"awaiting_us":null,"awaiting_end_us":null}]],"outages":[["xa-tan-hoi-dong","main",1792000001000000,null,"unknown","{}","",""]],"windows":[],"facts":[]}');
CREATE TABLE entry (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  link_id INTEGER REFERENCES link (id),
  start_us INTEGER NOT NULL,
  end_us INTEGER,
  decided_us INTEGER NOT NULL,
  state TEXT,
  health TEXT,
  content TEXT NOT NULL,
  hash BLOB NOT NULL
) STRICT;
INSERT INTO "entry" VALUES(5,'transition',1,1792000005000000,NULL,1792000006000000,'up','up','{"before":"down"}',X'F1E8A8127BC653558186527250714C80D26F9536F79F1997DE35B3B3B4CE349E');
INSERT INTO "entry" VALUES(6,'outage_end',1,1792000001000000,1792000005000000,1792000006000000,NULL,NULL,'{}',X'926A37DA592569D2FD6C9CF3CEFE2DC779C7D0279FA9E67C35420DE205386593');
INSERT INTO "entry" VALUES(7,'outage_note',1,1792000001000000,NULL,1792000009000000,NULL,NULL,'{"cause":"power","path_end":"10.86.20.1","text":"mất điện"}',X'961119BF7F272E1F1AECC2462D234617CBA94EE858B1A0C76637142240B95268');
INSERT INTO "entry" VALUES(8,'fact',NULL,1792000009000000,NULL,1792000009000000,NULL,NULL,'{"agency":"xa-tan-hoi-dong","key":"serial","value":"X1","source":"snmp"}',X'DF1EC407F7E9707632DEB0BB920D94474D20B0158CBBD8E68DA480D437D76DDD');
INSERT INTO "entry" VALUES(9,'anchor',NULL,1792000002000000,NULL,1792086404000000,NULL,NULL,'{"books":"0ec0f9f04d8b497af6f6e5cb995b89a6a09783f73a712ecd962851228b3873d3"}',X'6670BC8BCC81D7F460022EAA29743E900BE4604C5271029CBF8C80679EB0204A');
CREATE TABLE fact (
  id INTEGER PRIMARY KEY,
  agency TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  source TEXT NOT NULL,
  at_us INTEGER NOT NULL
) STRICT;
INSERT INTO "fact" VALUES(8,'xa-tan-hoi-dong','serial','X1','snmp',1792000009000000);
CREATE TABLE link (
  id INTEGER PRIMARY KEY,
  agency TEXT NOT NULL,
  link TEXT NOT NULL,
  state TEXT NOT NULL,
  health TEXT NOT NULL,
  since_us INTEGER NOT NULL,
  open_us INTEGER,
  open_cause TEXT,
  awaiting_us INTEGER,
  awaiting_end_us INTEGER,
  up_business_us INTEGER NOT NULL, up_other_us INTEGER NOT NULL,
  degraded_business_us INTEGER NOT NULL, degraded_other_us INTEGER NOT NULL,
  down_business_us INTEGER NOT NULL, down_other_us INTEGER NOT NULL,
  unknown_business_us INTEGER NOT NULL, unknown_other_us INTEGER NOT NULL,
  unreachable_business_us INTEGER NOT NULL, unreachable_other_us INTEGER NOT NULL,
  maintenance_business_us INTEGER NOT NULL, maintenance_other_us INTEGER NOT NULL,
  unobserved_business_us INTEGER NOT NULL, unobserved_other_us INTEGER NOT NULL,
  outages_circuit INTEGER NOT NULL,
  outages_power INTEGER NOT NULL,
  outages_beyond INTEGER NOT NULL,
  outages_upstream INTEGER NOT NULL,
  outages_unknown INTEGER NOT NULL,
  UNIQUE (agency, link)
) STRICT;
INSERT INTO "link" VALUES(1,'xa-tan-hoi-dong','main','up','up',1792000005000000,NULL,NULL,NULL,NULL,0,1000000,0,0,0,4000000,0,0,0,0,0,0,0,0,0,1,0,0,0);
CREATE TABLE maintenance (
  id TEXT PRIMARY KEY,
  start_us INTEGER NOT NULL,
  end_us INTEGER NOT NULL,
  content TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE outage (
  link_id INTEGER NOT NULL REFERENCES link (id),
  start_us INTEGER NOT NULL,
  end_us INTEGER,
  cause TEXT NOT NULL,
  evidence TEXT NOT NULL,
  path_end TEXT NOT NULL,
  note TEXT NOT NULL,
  PRIMARY KEY (link_id, start_us)
) STRICT, WITHOUT ROWID;
INSERT INTO "outage" VALUES(1,1792000001000000,1792000005000000,'power','{}','10.86.20.1','mất điện');
CREATE TABLE status (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  last_id INTEGER NOT NULL,
  hash BLOB NOT NULL,
  beat_us INTEGER NOT NULL,
  wall_offset_us INTEGER NOT NULL,
  seal BLOB NOT NULL
) STRICT;
INSERT INTO "status" VALUES(1,9,X'6670BC8BCC81D7F460022EAA29743E900BE4604C5271029CBF8C80679EB0204A',1792000020000000,0,X'0D6C4819EBCC1492BA713D482D44A1AF40F97A1676CF06A194D26D37BA51D1B7');
CREATE INDEX entry_transition ON entry (link_id, start_us, id) WHERE kind = 'transition';
CREATE INDEX entry_reclassification ON entry (link_id, id) WHERE kind = 'reclassification';
CREATE INDEX entry_rare ON entry (kind, id) WHERE kind IN ('calendar', 'anchor');
CREATE INDEX outage_by_start ON outage (start_us);
CREATE INDEX outage_by_end ON outage (end_us);
CREATE INDEX outage_open ON outage (link_id) WHERE end_us IS NULL;
CREATE INDEX fact_by_agency ON fact (agency, key, id);
CREATE TRIGGER entry_is_never_changed BEFORE UPDATE ON entry
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
CREATE TRIGGER entry_is_deleted_below_the_anchor BEFORE DELETE ON entry
WHEN OLD.id > coalesce((SELECT last_id FROM anchor), 0)
BEGIN
  SELECT RAISE(ABORT, 'the journal is append-only');
END;
COMMIT;
PRAGMA application_id=1313688647;
PRAGMA user_version=1;
