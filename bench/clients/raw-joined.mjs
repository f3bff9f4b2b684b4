// The raw socket with all frames of a turn written in one piece: faster than anybody could be who is asked for one
// operation after the other.
import { open as openRaw } from './raw.mjs';

export const open = (work) => openRaw(work, true);
