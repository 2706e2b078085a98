import type {RemoteFile} from '../source/remote-file.ts';

/** A file of an entry. */
export interface StoredFile {
  /** Its name in the entry's folder. */
  readonly name: string;
  readonly remote: RemoteFile;
}

/** All that is known of a model in the store. The last whole line of its journal. */
export interface EntryRecord {
  readonly version: 1;
  readonly url: string;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  readonly usedAt: number;
  /** What can be loaded: all of its bytes, as they came, with their SHA-256 in hexadecimal. */
  readonly installed: (StoredFile & {readonly bytes: number; readonly sha256: string}) | null;
  /** A download that was not finished; so many bytes of it are safe. */
  readonly partial: (StoredFile & {readonly received: number}) | null;
  /** What was downloaded once and was not what it should have been: its SHA-256, and the one that was expected. */
  readonly quarantined: {readonly sha256: string; readonly expected: string} | null;
}

export const newRecord = (url: string): EntryRecord => {
  const now = Date.now();
  return {version: 1, url, addedAt: now, usedAt: now, installed: null, partial: null, quarantined: null};
};

/** A line of a journal. */
export const journalLine = (record: EntryRecord): string => `${JSON.stringify(record)}\n`;

/** The last record that was written as a whole; `null` where there is none, or one of another version. */
export function readJournal(text: string): EntryRecord | null {
  // What follows the last end of a line was being written when everything stopped.
  const lines = text.split('\n').slice(0, -1);
  for (const line of lines.reverse()) {
    const record = parseRecord(line);
    if (record) return record;
  }
  return null;
}

function parseRecord(line: string): EntryRecord | null {
  try {
    const record = JSON.parse(line) as EntryRecord;
    return record.version === 1 && typeof record.url === 'string' ? record : null;
  } catch {
    // Not written as a whole, or not by us.
    return null;
  }
}
