-- A file that is gone stays recorded, with its results; it is marked so that it is shown and not reported at every scan.
ALTER TABLE file ADD COLUMN vanished_at INTEGER;
-- Number of the file system that the file lay on: an empty folder on another one is a mount point without its share.
ALTER TABLE file ADD COLUMN device INTEGER NOT NULL DEFAULT 0;
CREATE INDEX file_vanished ON file (root_id) WHERE vanished_at IS NOT NULL;
