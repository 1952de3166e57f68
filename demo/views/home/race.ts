// Takes a device and three activations, and gives three networks that learn the same two spirals side by side, with what
// each says of the plane so far.
import type { Device } from 'nonlin';
import { Race, type RaceEvents } from '../../training/race.ts';
import { SMALL_SPIRALS } from '../../training/small.ts';
import { placesOf } from '../train/panels/boundary.ts';
import { activationOf, LOSS, type Name } from './choices.ts';

export type { Race, Standing } from '../../training/race.ts';

const PLACES = placesOf(40);

/** Starts at once. */
export function startRace(device: Device, names: readonly Name[], events: RaceEvents<Name>) {
  const entrants = names.map((name) => ({ name, activation: activationOf(name), loss: LOSS }));
  return new Race({ ...SMALL_SPIRALS, device, entrants, places: PLACES }, events);
}
