#include "core/trace/schema.hpp"

namespace pcilens {

const char kTraceSchema[] = R"sql(
-- One transaction a row. Numbers of kind, status, origin, answered_by: core/link/transaction.hpp.
-- There is no index beside the row id: it would cost more than all the rest (DESIGN.md, "Trace").
CREATE TABLE event(
  seq INTEGER PRIMARY KEY,      -- total order over the whole link
  t_ns INTEGER NOT NULL,        -- requested: ns since the trace began
  done_ns INTEGER,              -- completed; NULL while pending
  kind INTEGER NOT NULL,
  function INTEGER NOT NULL,
  bar INTEGER NOT NULL,         -- 0..5; -1 config; -2 DMA; -3 interrupts; -4 none
  offset INTEGER NOT NULL,      -- byte in the BAR or config space; IOVA; vector
  size INTEGER NOT NULL,        -- bytes
  value INTEGER NOT NULL,       -- up to 8 bytes, above 2^63 as the signed twin
  status INTEGER NOT NULL,      -- 0 SC, 1 UR, 4 CA, 8 timeout, 15 pending
  origin INTEGER NOT NULL,
  cause INTEGER,                -- seq of the stimulus; NULL for a stimulus
  site INTEGER,                 -- site.id; NULL unknown
  thread INTEGER NOT NULL,
  cpu INTEGER NOT NULL,
  answered_by INTEGER NOT NULL);

-- What a stop or a rule changed. rule: breakpoint or fault rule; 0 by hand.
CREATE TABLE edit(seq INTEGER NOT NULL, sent INTEGER, delivered INTEGER, answered INTEGER,
  returned INTEGER, rule INTEGER);
CREATE INDEX edit_seq ON edit(seq);

-- Bytes that do not fit into event.value: DMA data; the text of control and gap rows.
CREATE TABLE payload(seq INTEGER PRIMARY KEY, data BLOB NOT NULL);

-- Where in the driver. code: the bytes around the instruction. No kernel addresses.
CREATE TABLE site(id INTEGER PRIMARY KEY, module TEXT, build_id TEXT, symbol TEXT,
  displacement INTEGER, code BLOB, file TEXT, line INTEGER);
CREATE TABLE stack(seq INTEGER PRIMARY KEY, sites TEXT NOT NULL);  -- JSON array, innermost first

CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- As the function was when it appeared. bars: JSON [{index, address, size, is_64bit, prefetchable}];
-- maps: JSON, its register maps whole; options: JSON {name: value}, what it was made with.
CREATE TABLE function(id INTEGER PRIMARY KEY, instance TEXT NOT NULL, device TEXT, bdf TEXT,
  vendor_id INTEGER, device_id INTEGER, class_code INTEGER, config BLOB, bars TEXT, maps TEXT, options TEXT);

-- count > 1: an array, element i at offset + i * stride, named by element_name with i for its %.
CREATE TABLE register(id INTEGER PRIMARY KEY, function INTEGER NOT NULL, bar INTEGER NOT NULL,
  offset INTEGER NOT NULL, width INTEGER NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL,
  stride INTEGER NOT NULL, element_name TEXT, reset INTEGER, access TEXT, doc TEXT, spec TEXT);
CREATE INDEX register_place ON register(function, bar, offset);
CREATE TABLE field(register INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL,
  name TEXT NOT NULL, access TEXT, doc TEXT, spec TEXT, enums TEXT);  -- JSON [{value, name}]
CREATE INDEX field_register ON field(register);
CREATE TABLE structure(id INTEGER PRIMARY KEY, function INTEGER NOT NULL, bar INTEGER, name TEXT,
  size INTEGER, members TEXT, doc TEXT, spec TEXT);  -- members: JSON

CREATE TABLE note(id INTEGER PRIMARY KEY, seq INTEGER, text TEXT NOT NULL);
CREATE TABLE finding(id INTEGER PRIMARY KEY, seq INTEGER, rule TEXT, text TEXT NOT NULL);

-- Rollups. access_key: a register for BARs, a 4 KiB page for memory regions, a mapping for DMA.
CREATE TABLE access_key(id INTEGER PRIMARY KEY, function INTEGER NOT NULL, bar INTEGER NOT NULL,
  offset INTEGER NOT NULL, size INTEGER NOT NULL, register INTEGER, element INTEGER);
CREATE TABLE block(id INTEGER PRIMARY KEY, first_seq INTEGER, last_seq INTEGER, first_ns INTEGER,
  last_ns INTEGER, events INTEGER, cfg_read INTEGER, cfg_write INTEGER, mem_read INTEGER,
  mem_write INTEGER, dma_read INTEGER, dma_write INTEGER, irq INTEGER, dma_map INTEGER,
  dma_unmap INTEGER, reset INTEGER, timer INTEGER, input INTEGER, state INTEGER, force INTEGER,
  control INTEGER, gap INTEGER);
CREATE TABLE block_key(key INTEGER, block INTEGER, count INTEGER, first_seq INTEGER,
  last_seq INTEGER, last_value INTEGER, positions BLOB, PRIMARY KEY(key, block)) WITHOUT ROWID;
CREATE TABLE super_key(key INTEGER, super INTEGER, count INTEGER, first_seq INTEGER,
  last_seq INTEGER, last_value INTEGER, PRIMARY KEY(key, super)) WITHOUT ROWID;

-- For people: names, hex, unsigned numbers.
CREATE VIEW accesses AS SELECT
  e.seq, e.t_ns / 1e9 AS t_s, e.done_ns - e.t_ns AS took_ns,
  CASE e.kind WHEN 0 THEN 'cfg_read' WHEN 1 THEN 'cfg_write' WHEN 2 THEN 'mem_read'
    WHEN 3 THEN 'mem_write' WHEN 4 THEN 'dma_read' WHEN 5 THEN 'dma_write' WHEN 6 THEN 'irq'
    WHEN 7 THEN 'dma_map' WHEN 8 THEN 'dma_unmap' WHEN 9 THEN 'reset' WHEN 10 THEN 'timer'
    WHEN 11 THEN 'input' WHEN 12 THEN 'state' WHEN 13 THEN 'force' WHEN 14 THEN 'control'
    WHEN 15 THEN 'gap' ELSE e.kind END AS kind,
  coalesce((SELECT f.instance FROM function f WHERE f.id = e.function), e.function) AS function,
  CASE WHEN e.bar >= 0 THEN printf('BAR%d+0x%llx', e.bar, e.offset)
    WHEN e.bar = -1 THEN printf('config 0x%llx', e.offset)
    WHEN e.bar = -2 THEN printf('IOVA 0x%llx', e.offset)
    WHEN e.bar = -3 THEN printf('vector %llu', e.offset) END AS place,
  (SELECT CASE WHEN r.count <= 1 THEN r.name
       WHEN coalesce(r.element_name, '') = ''
         THEN printf('%s[%d]', r.name, (e.offset - r.offset) / r.stride)
       ELSE replace(r.element_name, '%', (e.offset - r.offset) / r.stride) END
     FROM register r WHERE r.function = e.function AND r.bar = e.bar AND r.offset <= e.offset
       AND CASE WHEN r.count <= 1 THEN e.offset < r.offset + r.width
           ELSE e.offset < r.offset + (r.count - 1) * r.stride + r.width
             AND (e.offset - r.offset) % r.stride < r.width END
     LIMIT 1) AS register,
  e.size, printf('0x%llx', e.value) AS value, printf('%llu', e.value) AS value_unsigned,
  CASE e.status WHEN 0 THEN 'SC' WHEN 1 THEN 'UR' WHEN 4 THEN 'CA' WHEN 8 THEN 'timeout'
    WHEN 15 THEN 'pending' ELSE e.status END AS status,
  CASE e.origin WHEN 0 THEN 'driver' WHEN 1 THEN 'function' WHEN 2 THEN 'poke' WHEN 3 THEN 'replay'
    WHEN 4 THEN 'lesson' ELSE e.origin END AS origin,
  CASE e.answered_by WHEN 0 THEN 'function' WHEN 1 THEN 'shadow' WHEN 2 THEN 'rule'
    WHEN 3 THEN 'user' WHEN 4 THEN 'nobody' WHEN 5 THEN 'passed_stop' ELSE e.answered_by END
    AS answered_by,
  e.cause,
  (SELECT s.symbol || printf('+0x%x', s.displacement) FROM site s WHERE s.id = e.site) AS site,
  e.thread, e.cpu
FROM event e;

CREATE VIEW edits AS SELECT seq, printf('0x%llx', sent) AS sent,
  printf('0x%llx', delivered) AS delivered, printf('0x%llx', answered) AS answered,
  printf('0x%llx', returned) AS returned, CASE rule WHEN 0 THEN 'by hand' ELSE rule END AS rule
FROM edit;

CREATE VIEW bars AS SELECT f.id AS function, f.instance, json_extract(b.value, '$.index') AS bar,
  printf('0x%llx', json_extract(b.value, '$.address')) AS address, json_extract(b.value, '$.size') AS size,
  json_extract(b.value, '$.is_64bit') AS is_64bit, json_extract(b.value, '$.prefetchable') AS prefetchable
FROM function f, json_each(f.bars) b;
)sql";

}  // namespace pcilens
