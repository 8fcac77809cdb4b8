/// The tables in the target that hold what is known of pipelines.
enum LedgerSchema {
    /// Taken while they are made, so that pipelines may start at the same time.
    static let lock = 7_236_269_431_071_338_081

    static let statements = """
        CREATE SCHEMA IF NOT EXISTS replhost;

        CREATE TABLE IF NOT EXISTS replhost.pipeline (
          name text PRIMARY KEY,
          source_system text NOT NULL,
          source_database text NOT NULL,
          script_hash text NOT NULL,
          state text NOT NULL CHECK (state IN ('copying', 'finishing', 'done', 'streaming', 'cut over')),
          snapshots integer NOT NULL DEFAULT 0,
          started_at timestamptz NOT NULL DEFAULT now(),
          finished_at timestamptz,
          last_error text);

        CREATE TABLE IF NOT EXISTS replhost.relation (
          pipeline text REFERENCES replhost.pipeline ON DELETE CASCADE,
          source text,
          target text NOT NULL,
          made boolean NOT NULL,
          estimated_rows bigint,
          started_at timestamptz,
          finished_at timestamptz,
          PRIMARY KEY (pipeline, source));

        CREATE TABLE IF NOT EXISTS replhost.chunk (
          pipeline text,
          source text,
          number integer,
          relation text NOT NULL,
          cut text NOT NULL CHECK (cut IN ('whole', 'key', 'pages')),
          key_column text,
          key_type text,
          lower text,
          upper text,
          snapshot integer,
          rows_read bigint,
          rows_written bigint,
          rows_dropped bigint,
          rows_skipped bigint,
          dead_letters bigint,
          bytes bigint,
          copied_at timestamptz,
          PRIMARY KEY (pipeline, source, number),
          FOREIGN KEY (pipeline, source) REFERENCES replhost.relation ON DELETE CASCADE);

        CREATE TABLE IF NOT EXISTS replhost.snapshot (
          pipeline text REFERENCES replhost.pipeline ON DELETE CASCADE,
          number integer,
          lsn pg_lsn NOT NULL,
          PRIMARY KEY (pipeline, number));

        CREATE TABLE IF NOT EXISTS replhost.stream (
          pipeline text PRIMARY KEY REFERENCES replhost.pipeline ON DELETE CASCADE,
          slot text NOT NULL,
          consistent_point pg_lsn,
          position pg_lsn,
          commit_time timestamptz,
          applied_at timestamptz,
          transactions bigint NOT NULL DEFAULT 0,
          changes bigint NOT NULL DEFAULT 0,
          resnapshot text[] NOT NULL DEFAULT '{}');

        CREATE TABLE IF NOT EXISTS replhost.dead_letter (
          id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          pipeline text NOT NULL,
          source text NOT NULL,
          operation text NOT NULL,
          lsn pg_lsn,
          xid bigint,
          key json NOT NULL,
          row json NOT NULL,
          code text NOT NULL,
          message text NOT NULL,
          position text,
          traceback text NOT NULL,
          script_hash text NOT NULL,
          created_at timestamptz NOT NULL DEFAULT now());

        CREATE TABLE IF NOT EXISTS replhost.state (
          pipeline text,
          store text,
          key text,
          value jsonb NOT NULL,
          PRIMARY KEY (pipeline, store, key));

        CREATE TABLE IF NOT EXISTS replhost.conflict (
          pipeline text REFERENCES replhost.pipeline ON DELETE CASCADE,
          target text,
          existing bigint NOT NULL DEFAULT 0,
          missing bigint NOT NULL DEFAULT 0,
          PRIMARY KEY (pipeline, target));

        CREATE TABLE IF NOT EXISTS replhost.shape (
          pipeline text REFERENCES replhost.pipeline ON DELETE CASCADE,
          source text,
          columns text[] NOT NULL,
          PRIMARY KEY (pipeline, source));

        -- What ledgers of earlier versions do not have.
        ALTER TABLE replhost.relation
          ADD COLUMN IF NOT EXISTS mended integer,
          ADD COLUMN IF NOT EXISTS mending integer;
        ALTER TABLE replhost.stream
          ADD COLUMN IF NOT EXISTS is_to_end boolean NOT NULL DEFAULT false,
          ADD COLUMN IF NOT EXISTS bars_source boolean NOT NULL DEFAULT false;
        """
}
