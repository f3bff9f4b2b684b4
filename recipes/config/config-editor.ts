import { randomBytes } from 'node:crypto';
import {
  type Acl,
  checkPath,
  InvalidArgumentError,
  type Long,
  parentOf,
  retries,
  type RetryPolicy,
  type Transaction,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import { after, defer, now, Wait } from '../common/waiting.js';
import { ContentionError } from '../values/errors.js';
