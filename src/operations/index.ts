/** The table of all that can be asked of a server. Adding an operation is one file and one line here. */
export { auth, sasl, whoAmI } from './auth.js';
export { getAllChildrenNumber } from './count-children.js';
export { create, create2, createContainer, createTtl } from './create.js';
export { deleteNode } from './delete.js';
export { exists } from './exists.js';
export { getAcl } from './get-acl.js';
export { getChildren, getChildren2 } from './get-children.js';
export { getData } from './get-data.js';
export { getEphemerals } from './get-ephemerals.js';
export { closeSession, ping } from './keep-alive.js';
export { multi } from './multi.js';
export { multiRead } from './multi-read.js';
export { reconfig } from './reconfig.js';
export { setAcl } from './set-acl.js';
export { setData } from './set-data.js';
export { sync } from './sync.js';
export { addWatch, removeWatches, setWatches, setWatches2 } from './watching.js';
