// node componentize.mjs SOURCE WIT OUT: makes a component of the guest.
//
// jco's command line does the same, but only this library takes a folder of
// WIT packages here.

import { componentize } from '@bytecodealliance/componentize-js';
import { writeFile } from 'node:fs/promises';

const [sourcePath, witPath, out] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath,
  witPath,
  worldName: 'guest',
  // What fetch-event exports has a version of its own, not that of the world.
  disableFeatures: ['fetch-event'],
});
await writeFile(out, component);
