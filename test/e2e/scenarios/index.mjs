/** All scenarios: `run` throws where something is not as a visitor or a developer would expect. */
import {accessibility} from './accessibility.mjs';
import {conversation} from './conversation.mjs';
import {csp} from './csp.mjs';
import {demo} from './demo.mjs';
import {errors} from './errors.mjs';
import {events} from './events.mjs';
import {shards} from './shards.mjs';

export const scenarios = [
  ...conversation,
  ...events,
  ...errors,
  ...csp,
  ...shards,
  ...accessibility,
  ...demo,
];
