import { ServerCode } from '../errors.js';
import { getData } from './get-data.js';
import { defineOperation } from './operation.js';

/** The znode that holds the membership of the ensemble; it lies outside of any chroot. */
export const CONFIG_PATH = '/zookeeper/config';

/** Reads the membership of the ensemble: a getData, of a znode that every server has. */
export const getConfig = defineOperation({
  ...getData,
  name: 'getConfig',
  since: '3.5.0',
  refusedAs: ServerCode.noNode,
});
